"""The servers that `benchmarks/serving.py` compares, one a file, and what starts and measures them."""
