"""The figures of a run on its test split."""
