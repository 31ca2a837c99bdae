"""Keeps a servable loaded until its last answer is there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from vae_tf_serving.core.batching.future import Answer
from vae_tf_serving.core.execution.servable import Servable

T = TypeVar("T")


class Held:
    """A servable and the hold that a manager gave on it.

    A request's hold has to last as long as its run, not as long as its client waits: a client that
    gives up must not let the session be closed under the run.

    Args:
        context: What `ModelManager.acquire` returned; entered here.

    Attributes:
        servable: Servable.

    Raises:
        StatusError: The model, version or label is unknown.
    """

    def __init__(self, context: AbstractContextManager[Servable]) -> None:
        self._context = context
        self.servable = context.__enter__()

    def submit(self, call: Callable[[Servable], "Answer[T]"]) -> "Answer[T]":
        """Starts `call`, and gives the hold back when its answer is there; once for each `Held`.

        Raises:
            StatusError: What `call` raises; the hold is given back then too.
        """
        try:
            answer = call(self.servable)
        except BaseException:
            self.release()
            raise
        answer.add_done_callback(lambda _: self.release())
        return answer

    def release(self) -> None:
        """Gives the hold back, where nothing was submitted."""
        self._context.__exit__(None, None, None)
