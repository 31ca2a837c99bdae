"""Handle that keeps a servable loaded while a request uses it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self, TypeVar

from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.core.models.lifecycle import Lifecycle
from vae_tf_serving.core.models.managed_version import ManagedVersion
from vae_tf_serving.status import Code, StatusError

T = TypeVar("T")


class ServableHandle(AbstractContextManager[Servable]):
    """Reference to an AVAILABLE version, which is not unloaded before the handle is released.

    The version is looked up by `acquire`, or on entering the context. The handle is released on
    leaving the context, by `release`, or when the future of `submit` is done: a run keeps its servable
    even if its client has given up.

    Args:
        lifecycle: The versions of all models.
        name: Name of the model.
        version: Number of the version; None for the highest.

    Attributes:
        servable: Servable. Set by `acquire`.
    """

    __slots__ = ("_lifecycle", "_managed_version", "_name", "_version", "servable")

    servable: Servable

    def __init__(self, lifecycle: Lifecycle, name: str, version: int | None) -> None:
        self._lifecycle = lifecycle
        self._name = name
        self._version = version
        self._managed_version: ManagedVersion | None = None

    def acquire(self) -> Self:
        """Looks the version up and keeps it loaded.

        Raises:
            StatusError: NOT_FOUND.
        """
        while True:
            versions = self._lifecycle.serving.get(self._name)
            number = self._version
            if number is None and versions:
                number = next(reversed(versions))
            found = versions.get(number) if versions and number is not None else None
            if found is None:
                request = "Latest" if self._version is None else "Specific"
                wanted = self._name if number is None else f"{self._name}, {number}"
                raise StatusError(
                    Code.NOT_FOUND, f"Servable not found for request: {request}({wanted})"
                )
            # Refused if the version began to unload after `serving` was read, which is new then.
            if found.acquire():
                assert found.servable is not None
                self._managed_version, self.servable = found, found.servable
                return self

    def submit(self, call: Callable[[Servable], "ResultFuture[T]"]) -> "ResultFuture[T]":
        """Starts `call`, and releases the handle when its future is done; may be called once.

        Raises:
            StatusError: The error of `call`; the handle is released in that case too.
        """
        try:
            future = call(self.servable)
        except BaseException:
            self.release()
            raise
        future.add_done_callback(lambda _: self.release())
        return future

    def release(self) -> None:
        """Lets the version unload; does nothing if the handle is not acquired."""
        if self._managed_version is not None:
            self._managed_version.release()
            self._managed_version = None

    def __enter__(self) -> Servable:
        return self.acquire().servable

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
