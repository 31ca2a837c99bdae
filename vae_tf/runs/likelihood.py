"""The likelihood that data call for, where a configuration names none."""

import numpy as np

from vae_tf.data import Data, head

_LOOKED_AT = 512


def choose_likelihood(data: Data) -> str:
    """The name of the likelihood that fits the values of `data`.

    - "bernoulli" for binarised data, and where the first test examples hold only 0 and 1;
    - "discretized_logistic" for 8-bit values k / 255: a probability of each of the 256 levels,
      so the figures are those of bits-per-dimension papers;
    - "continuous_bernoulli" for other images in [0, 1], dequantised ones too: a density, whose nats
      do not compare with those of a Bernoulli;
    - "normal" for everything else: tables, vectors, unbounded values.

    Args:
        data: What `vae_tf.data.load` gave.

    Returns:
        A likelihood of `vae_tf.presets.create`.
    """
    if data.binarize or np.isin(head(data.test, _LOOKED_AT)[0], (0.0, 1.0)).all():
        return "bernoulli"
    if data.eight_bit:
        return "discretized_logistic"
    is_image = len(data.event_shape) == 3
    low, high = data.value_range
    if is_image and low is not None and high is not None and low >= 0 and high <= 1:
        return "continuous_bernoulli"
    return "normal"
