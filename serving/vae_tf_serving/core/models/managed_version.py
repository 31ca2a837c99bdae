"""State of one version, from START to END."""

import enum
import threading
from pathlib import Path

from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.status import StatusError


class State(enum.IntEnum):
    """States of a version, with the numbers of `ModelVersionStatus.State`."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


class ManagedVersion:
    """Version of a model: its state, guarded by the lock of `Lifecycle`, and its number of handles.

    Args:
        name: Name of the model.
        version: Number of the version.
        path: Its directory.

    Attributes:
        state: State.
        aspired: bool. Whether the version is to be served.
        dropped: bool. Whether its model was omitted from a configuration since. Such a version is
            not aspired again, because its number may stand for another directory by then.
        loading: bool. Whether a thread is loading it; False while it waits for a retry.
        attempts: int. Failed attempts to load.
        retry_at: float. `time.monotonic()` of the next attempt.
        servable: Servable or None. Set while AVAILABLE or UNLOADING.
    """

    def __init__(self, name: str, version: int, path: Path) -> None:
        self.name = name
        self.version = version
        self.path = path
        self.state = State.START
        self.aspired = True
        self.dropped = False
        self.loading = False
        self.attempts = 0
        self.retry_at = 0.0
        self.servable: Servable | None = None
        self._handles = 0
        self._unloading = False
        self._lock = threading.Lock()  # entering it costs a fifth of entering the condition
        self._unused = threading.Condition(self._lock)

    @property
    def label(self) -> str:
        """Name and version in the format of TensorFlow Serving's messages."""
        return f"{{name: {self.name} version: {self.version}}}"

    def acquire(self) -> bool:
        """Counts one more handle; returns False if the version is being unloaded."""
        with self._lock:
            if self._unloading:
                return False
            self._handles += 1
            return True

    def release(self) -> None:
        """Counts one handle less."""
        with self._lock:
            self._handles -= 1
            if not self._handles and self._unloading:
                self._unused.notify_all()

    def wait_until_unused(self) -> None:
        """Refuses new handles, and waits for the release of the others."""
        with self._unused:
            self._unloading = True
            while self._handles:
                self._unused.wait()


def next_action(versions: list[ManagedVersion]) -> tuple[str, ManagedVersion] | None:
    """Returns the next action for one model, as AvailabilityPreservingPolicy chooses it.

    A version that is not aspired is unloaded only if an aspired one is ready, if none is aspired, or
    if it is not the only one that is ready; otherwise the highest new aspired version is loaded.

    Args:
        versions: The model's versions; in the state END only those that failed to load.

    Returns:
        ("unload" or "load", the version), or None.
    """
    aspired = [version for version in versions if version.aspired]
    ready = [version for version in versions if version.state is State.AVAILABLE]
    unaspired = [version for version in ready if not version.aspired]
    if unaspired and (not aspired or len(unaspired) > 1 or len(ready) > len(unaspired)):
        return "unload", min(unaspired, key=lambda version: version.version)
    new = [version for version in aspired if version.state is State.START]
    if new:
        return "load", max(new, key=lambda version: version.version)
    return None


class Records:
    """Last state of each version since the start of the process.

    Guarded by the lock of `Lifecycle`.
    """

    def __init__(self) -> None:
        self._records: dict[str, dict[int, tuple[State, StatusError | None]]] = {}

    def put(self, version: ManagedVersion, error: StatusError | None) -> None:
        """Records the current state of `version`."""
        self._records.setdefault(version.name, {})[version.version] = version.state, error

    def of(self, name: str) -> dict[int, tuple[State, StatusError | None]]:
        """Returns version -> (state, error) of a model, in descending order."""
        found = self._records.get(name, {})
        return {number: found[number] for number in sorted(found, reverse=True)}
