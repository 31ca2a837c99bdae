"""Servers that `benchmarks/serving.py` compares, one per file, and the harness that measures them."""
