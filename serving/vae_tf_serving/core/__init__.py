"""Core of the server: models, requests, execution, batching and configuration, without transport."""
