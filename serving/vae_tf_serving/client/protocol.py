"""Interface of the protocols: a call is a path and a body, a response is bytes."""

import abc
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from vae_tf_serving.client.results import Metadata, VersionStatus
from vae_tf_serving.client.signature import Signature

# Name of the only metadata field of TensorFlow Serving
SIGNATURES = "signature_def"


class Call(NamedTuple):
    """Request; a body of None means an HTTP GET."""

    path: str
    body: bytes | None


class Protocol(abc.ABC):
    """Serializes calls and parses their responses, without sending them."""

    growth: int
    """Estimated maximum of bytes on the wire for a byte in memory."""

    @abc.abstractmethod
    def predict(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], version: int | None = None
    ) -> Call:
        """Makes the call of a signature, of `version` or of that of the options."""

    @abc.abstractmethod
    def outputs(self, response: bytes, signature: Signature) -> dict[str, np.ndarray]:
        """Parses the response of a signature.

        Raises:
            ResponseMismatchError: The response is not one of that signature.
        """

    @abc.abstractmethod
    def status(self) -> Call:
        """Makes the call for the versions of the model."""

    @abc.abstractmethod
    def version_statuses(self, response: bytes) -> list[VersionStatus]:
        """Parses the response to `status`."""

    @abc.abstractmethod
    def describe(self) -> Call:
        """Makes the call for the signatures of the model."""

    @abc.abstractmethod
    def metadata(self, response: bytes) -> Metadata:
        """Parses the response to `describe`."""
