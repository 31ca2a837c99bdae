"""Results of the client methods that return more than one array."""

from typing import NamedTuple

import numpy as np

from vae_tf_serving.client.signature import Signature


class Encoding(NamedTuple):
    """Mean and standard deviation of q(z|x), each `[N, D]` float32."""

    mean: np.ndarray
    stddev: np.ndarray


class Scores(NamedTuple):
    """Estimates of log p(x) and the ELBO in nats, each `[N]` float32."""

    log_prob: np.ndarray
    elbo: np.ndarray


class VersionStatus(NamedTuple):
    """State of one version of a model.

    `state` is START, LOADING, AVAILABLE, UNLOADING or END. `code` and `message` are those of a failed
    load, otherwise "OK" and "".
    """

    version: int
    state: str
    code: str
    message: str


class Metadata(NamedTuple):
    """Name, version and signatures of a served model."""

    model_name: str
    version: int
    signatures: dict[str, Signature]
