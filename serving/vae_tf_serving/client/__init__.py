"""Clients of TensorFlow Serving and of the embedded server. Imports no TensorFlow.

What is said to a server stands once, in generators that yield calls and are sent the answers
(`operations`). A protocol turns them into bytes (`grpc_protocol`, `rest_protocol`), a transport
carries the bytes (`grpc_transport`, `rest_transport`, and their `async_` twins).
"""
