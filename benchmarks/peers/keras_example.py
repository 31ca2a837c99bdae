"""The same networks the way keras.io's VAE example writes and trains them."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


class Sampling(layers.Layer):
    """z = mean + exp(log_var / 2) ε."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs: list) -> tf.Tensor:
        """A draw."""
        mean, log_var = inputs
        epsilon = keras.random.normal(shape=ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_var) * epsilon


class ExampleVAE(keras.Model):
    """Loss: summed binary cross-entropy plus the KL in closed form."""

    def __init__(self, encoder: keras.Model, decoder: keras.Model) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.trackers = [keras.metrics.Mean(name=n) for n in ("loss", "reconstruction", "kl")]

    @property
    def metrics(self) -> list:
        """The running means."""
        return self.trackers

    def train_step(self, data: tf.Tensor) -> dict:
        """One step of the example."""
        with tf.GradientTape() as tape:
            mean, log_var, z = self.encoder(data)
            reconstruction = self.decoder(z)
            cross_entropy = keras.losses.binary_crossentropy(data, reconstruction)
            reconstruction_loss = ops.mean(ops.sum(cross_entropy, axis=(1, 2)))
            kl = -0.5 * (1 + log_var - ops.square(mean) - ops.exp(log_var))
            kl_loss = ops.mean(ops.sum(kl, axis=1))
            loss = reconstruction_loss + kl_loss
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for tracker, value in zip(self.trackers, (loss, reconstruction_loss, kl_loss), strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}


def networks(workload: str) -> tuple[keras.Model, keras.Model]:
    """Encoder and decoder of the workload."""
    x = keras.Input((28, 28, 1))
    if workload == "dense":
        latent_dim, h = 20, layers.Dense(500, "tanh")(layers.Flatten()(x))
    else:
        latent_dim = 2
        h = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(x)
        h = layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(h)
        h = layers.Dense(16, activation="relu")(layers.Flatten()(h))
    mean, log_var = layers.Dense(latent_dim)(h), layers.Dense(latent_dim)(h)
    encoder = keras.Model(x, [mean, log_var, Sampling()([mean, log_var])])

    z = keras.Input((latent_dim,))
    if workload == "dense":
        h = layers.Dense(784, "sigmoid")(layers.Dense(500, "tanh")(z))
        return encoder, keras.Model(z, layers.Reshape((28, 28, 1))(h))
    h = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, activation="relu")(z))
    h = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(h)
    h = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(h)
    return encoder, keras.Model(
        z, layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(h)
    )


def trainer(workload: str, x: np.ndarray, batch_size: int) -> Callable[[], None]:
    """A function that trains one epoch."""
    floats = x.astype("float32") / 255
    vae = ExampleVAE(*networks(workload))
    vae.compile(optimizer=keras.optimizers.Adam())
    return lambda: vae.fit(floats, epochs=1, batch_size=batch_size, verbose=0)
