"""asyncio client of a served model."""

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


class AsyncTransport(Protocol):
    """Sends calls and returns their responses."""

    async def send(self, call: Call, timeout: float) -> bytes:
        """Returns the response, within `timeout` seconds, or raises `ServingError`."""

    async def close(self) -> None:
        """Closes the connection."""


class AsyncClient(BaseClient):
    """`Client` for asyncio, with the same arguments, results and errors.

        async with AsyncClient("localhost:8500") as client:
            few, many = await asyncio.gather(client.sample(4), client.sample(400))

    Calls may run concurrently. A client belongs to the event loop of its first call. In a forked child
    REST has connections of its own, and gRPC is refused if it was used before.
    """

    def _open(self, options: Options) -> AsyncTransport:
        if options.is_rest:
            from vae_tf_serving.client.rest_transport import AsyncRestTransport

            return AsyncRestTransport(options)
        from vae_tf_serving.client.grpc_transport import AsyncGrpcTransport

        return AsyncGrpcTransport(options)

    async def sample(self, n: int, seed: Seed = None, **further: Any) -> np.ndarray:
        """See `Client.sample`."""
        return await self._run(self._operations.sample(n, seed, further))

    async def encode(self, x: Any, **further: Any) -> Any:
        """See `Client.encode`."""
        return await self._run(self._operations.encode(x, further))

    async def decode(self, z: Any = None, **further: Any) -> np.ndarray:
        """See `Client.decode`."""
        return await self._run(self._operations.decode(z, further))

    async def reconstruct(self, x: Any, **further: Any) -> np.ndarray:
        """See `Client.reconstruct`."""
        return await self._run(self._operations.reconstruct(x, further))

    async def score(self, x: Any, seed: Seed = None, **further: Any) -> Scores:
        """See `Client.score`."""
        return await self._run(self._operations.score(x, seed, further))

    async def predict(
        self,
        inputs: Mapping[str, Any],
        signature: str = "serving_default",
        *,
        cut: bool = False,
    ) -> dict[str, np.ndarray]:
        """See `Client.predict`."""
        return await self._run(self._operations.predict(inputs, signature, cut))

    async def status(self) -> list[VersionStatus]:
        """See `Client.status`."""
        return await self._run(self._operations.status())

    async def metadata(self) -> Metadata:
        """See `Client.metadata`."""
        return await self._run(self._operations.metadata())

    async def close(self) -> None:
        """Closes the connection; the client cannot be used afterwards."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def _run(self, steps: Steps[T]) -> T:
        try:
            call = next(steps)
            while True:
                try:
                    response = await self._send(call)
                except ServingError as error:
                    call = steps.throw(error)
                else:
                    call = steps.send(response)
        except StopIteration as stop:
            return stop.value

    async def _send(self, call: Call) -> bytes:
        end = time.monotonic() + self._options.deadline

        async def once() -> bytes:
            return await self._transport.send(call, max(end - time.monotonic(), 1e-3))

        return await tenacity.AsyncRetrying(**retry_policy(self._options))(once)
