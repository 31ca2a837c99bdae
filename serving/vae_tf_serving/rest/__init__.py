"""The REST front end: TensorFlow Serving's URLs and JSON over HTTP/1.1."""
