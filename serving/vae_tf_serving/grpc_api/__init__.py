"""The gRPC front end: PredictionService, ModelService, health and reflection."""
