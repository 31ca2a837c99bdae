"""Blocking client of a served model."""

import time
from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import tenacity

from vae_tf_serving.client.base import BaseClient
from vae_tf_serving.client.error import ServingError
from vae_tf_serving.client.operations import Seed, Steps
from vae_tf_serving.client.options import Options, retry_policy
from vae_tf_serving.client.protocol import Call
from vae_tf_serving.client.results import Encoding, Metadata, Scores, VersionStatus

T = TypeVar("T")


class Transport(Protocol):
    """Sends calls and returns their responses."""

    def send(self, call: Call, timeout: float) -> bytes:
        """Returns the response, within about `timeout` seconds, or raises `ServingError`."""

    def close(self) -> None:
        """Closes the connection."""


class Client(BaseClient):
    """Calls a served VAE, over gRPC or REST; NumPy in and out.

        with Client("localhost:8500") as client:
            images = client.sample(16, seed=7)

    Threads may share a client. Rows that are too many for one request are cut into several, sent one
    after the other to one version: once more to the next, if that one is gone meanwhile. Inputs are
    checked against the signature before they are sent; it is asked for once. For any other SavedModel
    there is `predict`.

    Args:
        address: str. "host:port" for gRPC ("grpcs://host:port" with TLS and the system's
            authorities), "http://host:port" or "https://..." for REST.
        model_name: str. Defaults to "vae".
        version: int. Defaults to the newest that the server has available.
        label: str. In place of a version, such as "stable".
        ca: Path of PEM certificates that sign the server's. Defaults to the system's.
        key: Path of the client's PEM key, for mutual TLS.
        cert: Path of the client's PEM certificate.
        deadline: float. Seconds for one request, with its retries. Defaults to 60.
        max_retries: int. How often a request that was answered with UNAVAILABLE is repeated, after
            growing waits. Nothing else is repeated. Defaults to 5.
        max_rows: int. Rows in a request; a server that batches refuses more than its
            `max_batch_size`. Defaults to 64.
        max_message_bytes: int. Size of a request and its answer, about. Defaults to 16 MiB.

    Raises:
        ValueError: arguments that make no sense.
        OSError: a certificate or key that cannot be read.
        ServingError: from every method: the request failed, with a code and a message.
    """

    def _open(self, options: Options) -> Transport:
        if options.is_rest:
            from vae_tf_serving.client.rest_transport import RestTransport

            return RestTransport(options)
        from vae_tf_serving.client.grpc_transport import GrpcTransport

        return GrpcTransport(options)

    def sample(self, n: int, seed: Seed = None) -> np.ndarray:
        """Draws from the model.

        Args:
            n: int. How many.
            seed: An int: the same seed gives the same samples, over both protocols and whatever the
                size of the requests. Row i is sent with the seed `1_000_000 * seed + i`, so two
                seeds share no row. Or `[n]` ints, which are sent as they are. Defaults to new
                seeds from the system.

        Returns:
            The means of p(x|z) at z ~ p(z), `[n, *event]` float32.
        """
        return self._run(self._operations.sample(n, seed))

    def encode(self, x: Any) -> Encoding:
        """The mean and standard deviation of q(z|x), each `[N, D]`, for x `[N, *event]`."""
        return self._run(self._operations.encode(x))

    def decode(self, z: Any) -> np.ndarray:
        """The mean of p(x|z), `[N, *event]`, for z `[N, D]`."""
        return self._run(self._operations.decode(z))

    def reconstruct(self, x: Any) -> np.ndarray:
        """The mean of p(x|z) at the mean of q(z|x), `[N, *event]`, for x of that shape."""
        return self._run(self._operations.reconstruct(x))

    def score(self, x: Any, seed: Seed = None) -> Scores:
        """Estimates of log p(x) and the evidence lower bound, each `[N]`, in nats.

        Args:
            x: `[N, *event]`.
            seed: Of the importance samples, as in `sample`.
        """
        return self._run(self._operations.score(x, seed))

    def predict(
        self,
        inputs: Mapping[str, Any],
        signature: str = "serving_default",
        *,
        cut: bool = False,
    ) -> dict[str, np.ndarray]:
        """Calls a signature of any model.

        Args:
            inputs: Arrays by name. Strings are bytes or str.
            signature: str. Its name.
            cut: bool. Whether many rows may go in several requests: right if row i of the outputs
                depends on row i of the inputs alone. Defaults to one request.

        Returns:
            Arrays by name; strings as objects of type bytes, bfloat16 as float32.
        """
        return self._run(self._operations.predict(inputs, signature, cut))

    def status(self) -> list[VersionStatus]:
        """The versions of the model that the server knows, newest first."""
        return self._run(self._operations.status())

    def metadata(self) -> Metadata:
        """The signatures of the model, asked for anew."""
        return self._run(self._operations.metadata())

    def close(self) -> None:
        """Closes the connection; the client cannot be used afterwards."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self, steps: Steps[T]) -> T:
        try:
            call = next(steps)
            while True:
                try:
                    response = self._send(call)
                except ServingError as error:
                    call = steps.throw(error)
                else:
                    call = steps.send(response)
        except StopIteration as stop:
            return stop.value

    def _send(self, call: Call) -> bytes:
        end = time.monotonic() + self._options.deadline

        def once() -> bytes:
            return self._transport.send(call, max(end - time.monotonic(), 1e-3))

        return tenacity.Retrying(**retry_policy(self._options))(once)
