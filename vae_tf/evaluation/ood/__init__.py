"""Scores that tell other data from the data of training, and how well they do."""
