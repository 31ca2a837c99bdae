"""What the methods of the clients return, where it is more than one array."""

from typing import NamedTuple

import numpy as np

from vae_tf_serving.client.signature import Signature


class Encoding(NamedTuple):
    """Moments of q(z|x), each `[N, D]` float32."""

    mean: np.ndarray
    stddev: np.ndarray


class Scores(NamedTuple):
    """Nats per example, each `[N]` float32."""

    log_prob: np.ndarray
    elbo: np.ndarray


class VersionStatus(NamedTuple):
    """One version of a model in a server.

    `state` is START, LOADING, AVAILABLE, UNLOADING or END; `code` and `message` say why a version
    could not be loaded, else they are "OK" and "".
    """

    version: int
    state: str
    code: str
    message: str


class Metadata(NamedTuple):
    """A served model: the version that answers, and its signatures by name."""

    model_name: str
    version: int
    signatures: dict[str, Signature]
