"""Draws of p(x) compared with data."""
