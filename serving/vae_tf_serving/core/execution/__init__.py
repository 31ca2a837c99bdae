"""A loaded SavedModel: its session, its signatures, and the queues of its requests."""
