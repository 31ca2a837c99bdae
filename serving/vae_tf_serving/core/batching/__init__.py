"""Queues, batches and futures of requests. Imports no TensorFlow."""
