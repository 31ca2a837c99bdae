"""Predict, Classify, Regress and MultiInference, for both front ends."""
