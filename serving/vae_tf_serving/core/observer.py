"""What the core tells whoever counts it."""

from collections.abc import Sequence

from vae_tf_serving.status import StatusError


class Observer:
    """Hooks of the core; each does nothing here. Override what is wanted.

    They are called from worker threads, on the path of requests: they must be quick, safe to call
    from several threads, and must not raise. Times are in seconds.
    """

    def state_changed(self, name: str, version: int, state: int, error: StatusError | None) -> None:
        """Version `version` of model `name` reached `state` (a `ModelVersionStatus.State`)."""

    def load_attempted(
        self, name: str, version: int, seconds: float, error: StatusError | None
    ) -> None:
        """One attempt to load, warm-up included, took `seconds` and failed with `error` if given."""

    def warmed_up(self, path: str, records: int, seconds: float, status: str) -> None:
        """The warm-up file of the model at `path` was run; `status` is "OK" or "CODE: message"."""

    def request_queued(self, rows: int) -> None:
        """A request of `rows` rows came to a batching queue."""

    def batch_processed(self, rows: int, padding: int, waits: Sequence[float]) -> None:
        """One run served `len(waits)` requests of `rows` rows, with `padding` rows added.

        `waits` is the time each of them spent in the queue.
        """

    def ran(self, name: str, api: str, seconds: float) -> None:
        """A request of `api` ("Predict", "Classify", ...) spent `seconds` in queue and session."""

    def examples(self, name: str, count: int) -> None:
        """A request brought `count` `tf.train.Example`s."""
