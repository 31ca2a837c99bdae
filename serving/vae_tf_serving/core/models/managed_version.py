"""A version under the manager's care, from START to END."""

import enum
import threading
from pathlib import Path

from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.status import StatusError


class State(enum.IntEnum):
    """States of a version, numbered as `ModelVersionStatus.State`."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


class ManagedVersion:
    """One version: its state, which the manager's lock guards, and who uses it.

    Args:
        name: Name of the model.
        version: Number of the version.
        path: Its directory.

    Attributes:
        state: State.
        aspired: bool. Whether the version is wanted at present.
        dropped: bool. Whether its model has been left out of the configuration meanwhile. Such a
            version is not taken back: its number may stand for another directory by then.
        loading: bool. Whether a thread is loading it now, rather than waiting to try again.
        attempts: int. Attempts to load that have failed.
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
        self._uses = 0
        self._leaving = False
        self._lock = threading.Lock()  # entered directly, at a fifth of the condition's cost
        self._unused = threading.Condition(self._lock)

    @property
    def label(self) -> str:
        """The version as TensorFlow Serving's messages name it."""
        return f"{{name: {self.name} version: {self.version}}}"

    def acquire(self) -> bool:
        """Counts one more use; False once the version is being unloaded."""
        with self._lock:
            if self._leaving:
                return False
            self._uses += 1
            return True

    def release(self) -> None:
        """Counts one use less."""
        with self._lock:
            self._uses -= 1
            if not self._uses and self._leaving:
                self._unused.notify_all()

    def wait_until_unused(self) -> None:
        """Lets no new use begin, and waits for the others to end."""
        with self._unused:
            self._leaving = True
            while self._uses:
                self._unused.wait()


def next_action(versions: list[ManagedVersion]) -> tuple[str, ManagedVersion] | None:
    """What to do next for one model, keeping it available (AvailabilityPreservingPolicy).

    An unwanted version is unloaded only if a wanted one is ready, if none is wanted, or if more
    than one unwanted is ready; else the highest new wanted version is loaded.

    Args:
        versions: The model's versions, those at their END only if they failed to load.

    Returns:
        ("unload" or "load", the version), or None if there is nothing to do.
    """
    wanted = [version for version in versions if version.aspired]
    ready = [version for version in versions if version.state is State.AVAILABLE]
    unwanted = [version for version in ready if not version.aspired]
    if unwanted and (not wanted or len(unwanted) > 1 or len(ready) > len(unwanted)):
        return "unload", min(unwanted, key=lambda version: version.version)
    new = [version for version in wanted if version.state is State.START]
    if new:
        return "load", max(new, key=lambda version: version.version)
    return None


class Records:
    """The state that each version reached last, for as long as the process lives.

    Guarded by the manager's lock.
    """

    def __init__(self) -> None:
        self._records: dict[str, dict[int, tuple[State, StatusError | None]]] = {}

    def put(self, version: ManagedVersion, error: StatusError | None) -> None:
        """Notes the state that `version` is in now."""
        self._records.setdefault(version.name, {})[version.version] = version.state, error

    def of(self, name: str) -> dict[int, tuple[State, StatusError | None]]:
        """Version -> (state, error) of a model, in descending order."""
        found = self._records.get(name, {})
        return {number: found[number] for number in sorted(found, reverse=True)}
