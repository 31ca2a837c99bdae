"""Clients of TensorFlow Serving and of the embedded server. Imports no TensorFlow.

Each method is written once, as a generator that yields calls and is sent the responses
(`operations`). A protocol serializes the calls (`grpc_protocol`, `rest_protocol`), a transport sends
the bytes (`grpc_transport`, `rest_transport`).
"""
