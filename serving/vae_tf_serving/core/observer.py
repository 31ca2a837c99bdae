"""Observer interface of the core, for metrics."""

from collections.abc import Sequence

from vae_tf_serving.status import StatusError


class Observer:
    """Callbacks of the core, which do nothing unless a subclass overrides them.

    They are called in worker threads while requests wait: they must be fast and thread-safe, and must
    not raise. Times are in seconds.
    """

    def state_changed(self, name: str, version: int, state: int, error: StatusError | None) -> None:
        """Version `version` of model `name` reached `state` (a `ModelVersionStatus.State`)."""

    def load_attempted(
        self, name: str, version: int, seconds: float, error: StatusError | None
    ) -> None:
        """An attempt to load, warm-up included, took `seconds`; `error` is None for a success."""

    def warmed_up(self, path: str, records: int, seconds: float, status: str) -> None:
        """Warm-up of the model at `path` ended; `status` is "OK" or "CODE: message"."""

    def request_queued(self, rows: int) -> None:
        """A request of `rows` rows entered a batching queue."""

    def batch_processed(self, rows: int, padding: int, waits: Sequence[float]) -> None:
        """A run served `len(waits)` requests of `rows` rows in all, with `padding` rows added.

        `waits` has the time that each request spent in the queue.
        """

    def ran(self, name: str, api: str, seconds: float) -> None:
        """A request of `api` ("Predict", "Classify", ...) took `seconds` in queue and session."""

    def examples(self, name: str, count: int) -> None:
        """A request had `count` `tf.train.Example`s."""
