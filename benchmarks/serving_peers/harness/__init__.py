"""Environments, processes, load and reports of `benchmarks/serving.py`."""
