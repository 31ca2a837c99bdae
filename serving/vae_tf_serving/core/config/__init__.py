"""TensorFlow Serving's text-proto files, and the checks of a ModelServerConfig."""
