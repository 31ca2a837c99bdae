"""The Keras side of every model: `fit`, `train_step`, metrics, checks of the data."""
