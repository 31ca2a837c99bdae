"""Evaluation of a run on its test split, and on data of another kind."""
