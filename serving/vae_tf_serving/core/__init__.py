"""Models, versions, batching and request logic of the server; no transport in here."""
