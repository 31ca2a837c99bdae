"""What the two protocols have in common: a call is a path and a body, an answer is bytes."""

import abc
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from vae_tf_serving.client.results import Metadata, VersionStatus
from vae_tf_serving.client.signature import Signature

# What TensorFlow Serving calls the one field of metadata that it has.
SIGNATURES = "signature_def"


class Call(NamedTuple):
    """One request. A body of None is an HTTP GET."""

    path: str
    body: bytes | None


class Protocol(abc.ABC):
    """Writes calls and reads their answers; sends nothing."""

    growth: int
    """Bytes on the wire for a byte in memory, at most about."""

    @abc.abstractmethod
    def predict(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], version: int | None = None
    ) -> Call:
        """The call of a signature, of `version` or the one that the options name."""

    @abc.abstractmethod
    def outputs(self, answer: bytes, signature: Signature) -> dict[str, np.ndarray]:
        """What a signature answered.

        Raises:
            UnfitAnswerError: no answer of that signature.
        """

    @abc.abstractmethod
    def status(self) -> Call:
        """The call for the versions of the model."""

    @abc.abstractmethod
    def version_statuses(self, answer: bytes) -> list[VersionStatus]:
        """What `status` answered."""

    @abc.abstractmethod
    def describe(self) -> Call:
        """The call for the signatures of the model."""

    @abc.abstractmethod
    def metadata(self, answer: bytes) -> Metadata:
        """What `describe` answered."""
