"""The RPCs of PredictionService, on NumPy arrays."""
