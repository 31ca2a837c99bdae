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
from vae_tf_serving.client.results import Metadata, Scores, VersionStatus

T = TypeVar("T")


class Transport(Protocol):
    """Sends calls and returns their responses."""

    def send(self, call: Call, timeout: float) -> bytes:
        """Returns the response, within about `timeout` seconds, or raises `ServingError`."""

    def close(self) -> None:
        """Closes the connection."""


class Client(BaseClient):
    """Client of a served VAE over gRPC or REST, with NumPy arrays.

        with Client("localhost:8500") as client:
            images = client.sample(16, seed=7)

    It is thread-safe, and a forked child has connections of its own. Rows that do not fit into one
    request are sent in several requests, one after the other, to one version; if that version is
    unloaded meanwhile, the call starts over once with the next. Inputs are checked against the
    signature, which is requested once. A signature that has further inputs, as that of a model of a
    condition has, gets them by keyword: `client.sample(16, condition=c)`, `[N, ...]`. `predict` calls
    any other SavedModel.

    Args:
        address: str. "host:port" for gRPC ("grpcs://host:port" with TLS and the system's
            authorities), "http://host:port" or "https://..." for REST.
        model_name: str. Defaults to "vae".
        version: int. Defaults to the newest that is available.
        label: str. Label of a version, such as "stable", instead of its number.
        ca: Path of the PEM certificates of the server's authorities. Defaults to the system's.
        key: Path of the client's PEM key, for mutual TLS.
        cert: Path of the client's PEM certificate.
        deadline: float. Seconds for one request, with its retries. Defaults to 60.
        max_retries: int. Retries of a request that failed with UNAVAILABLE, after growing waits. Other
            errors are not retried. Defaults to 5.
        max_rows: int. Rows of a request at most; a server with `--enable_batching` refuses more than
            its `max_batch_size`. Defaults to 64.
        max_message_bytes: int. Approximate size of a request, and of a response, at most. Defaults
            to 16 MiB.

    Raises:
        ValueError: Invalid arguments.
        OSError: A certificate or key cannot be read.
        ServingError: Raised by every method: the request failed, with a code and a message.
    """

    def _open(self, options: Options) -> Transport:
        if options.is_rest:
            from vae_tf_serving.client.rest_transport import RestTransport

            return RestTransport(options)
        from vae_tf_serving.client.grpc_transport import GrpcTransport

        return GrpcTransport(options)

    def sample(self, n: int, seed: Seed = None, **further: Any) -> np.ndarray:
        """Draws samples from the model.

        Args:
            n: int. Number of samples.
            seed: An int: the same seed gives the same samples, over both protocols and with any size
                of the requests. Row i is sent with the seed `1_000_000 * seed + i`, so that two
                seeds share no row. Or `[n]` ints: the seeds of the rows. Defaults to new seeds from
                the system.
            **further: Further inputs of the signature by name, `[n, ...]`.

        Returns:
            The means of p(x|z) at z ~ p(z), `[n, *event]` float32.
        """
        return self._run(self._operations.sample(n, seed, further))

    def encode(self, x: Any, **further: Any) -> Any:
        """Returns the mean and standard deviation of q(z|x) of each example.

        Args:
            x: `[N, *event]`.
            **further: Further inputs of the signature by name, `[N, ...]`.

        Returns:
            `Encoding(mean, stddev)`, each `[N, D]`. For a model of several latents, a dict: name of the
            latent -> `Encoding`.
        """
        return self._run(self._operations.encode(x, further))

    def decode(self, z: Any = None, **further: Any) -> np.ndarray:
        """Returns the mean of p(x|z), `[N, *event]`.

        Args:
            z: `[N, D]`. None for a model whose latents have other names.
            **further: Latents by name, `[N, D]`, and further inputs of the signature, `[N, ...]`.
        """
        return self._run(self._operations.decode(z, further))

    def reconstruct(self, x: Any, **further: Any) -> np.ndarray:
        """Returns the mean of p(x|z) at the mean of q(z|x), in the shape of x, `[N, *event]`.

        Args:
            x: `[N, *event]`.
            **further: Further inputs of the signature by name, `[N, ...]`.
        """
        return self._run(self._operations.reconstruct(x, further))

    def score(self, x: Any, seed: Seed = None, **further: Any) -> Scores:
        """Estimates log p(x) and the evidence lower bound, each `[N]`, in nats.

        Args:
            x: `[N, *event]`.
            seed: Seed of the importance samples, as in `sample`.
            **further: Further inputs of the signature by name, `[N, ...]`.
        """
        return self._run(self._operations.score(x, seed, further))

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
            signature: str. Name of the signature.
            cut: bool. Whether the rows may be sent in several requests, which requires that row i of
                the outputs depends on row i of the inputs alone. Defaults to False.

        Returns:
            Arrays by name; strings as objects of type bytes, bfloat16 as float32.
        """
        return self._run(self._operations.predict(inputs, signature, cut))

    def status(self) -> list[VersionStatus]:
        """Returns the versions of the model that the server has or had, newest first."""
        return self._run(self._operations.status())

    def metadata(self) -> Metadata:
        """Requests the signatures of the model."""
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
