"""Life cycle of versions: loads the aspired ones and unloads the others."""

import gc
import logging
import threading
import time
from pathlib import Path

from vae_tf_serving.core.execution.servable import Servable, SharedThreads
from vae_tf_serving.core.models.managed_version import ManagedVersion, Records, State, next_action
from vae_tf_serving.core.models.manager_options import ManagerOptions
from vae_tf_serving.core.models.warm_up import warm_up
from vae_tf_serving.status import Code, StatusError

_LOG = logging.getLogger(__name__)


class Lifecycle:
    """Versions of all models, and the threads that change their states.

    Args:
        options: Options.

    Attributes:
        changed: Condition. Guards `records`; notified of each change of a state.
        records: Records. The state of each version.
        serving: dict. Model -> version -> AVAILABLE version, in ascending order. It is replaced,
            never changed, so that it can be read without the lock.
    """

    def __init__(self, options: ManagerOptions) -> None:
        self.changed = threading.Condition()
        self.records = Records()
        self.serving: dict[str, dict[int, ManagedVersion]] = {}
        self._options = options
        self._shared = SharedThreads(options.servable, options.observer)
        self._aspired: dict[str, dict[int, Path]] = {}
        self._managed: dict[str, dict[int, ManagedVersion]] = {}
        self._initial = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._manage, name="manager", daemon=True)

    def start(self) -> None:
        """Starts to load and unload."""
        self._thread.start()

    def aspire(self, versions: dict[str, dict[int, Path]], models: set[str]) -> None:
        """Sets the aspired versions.

        Args:
            versions: Model -> version -> directory. A model left out keeps its versions.
            models: The configured models; the versions of all others are not aspired.
        """
        with self.changed:
            for name in [name for name in self._aspired if name not in models]:
                del self._aspired[name]
            self._aspired |= {name: found for name, found in versions.items() if name in models}
            self._follow_aspired()

    def failures(self, names: set[str]) -> dict[tuple[str, int], StatusError | None] | None:
        """Returns the failed versions of failed models; None while a model is undecided.

        The lowest version that is AVAILABLE or has failed to load decides its model. The lock is
        held.

        Args:
            names: The models.
        """
        failed = {}
        for name in sorted(names):
            versions = self._managed.get(name, {}).values()
            decided = [
                version
                for version in versions
                if version.state in (State.AVAILABLE, State.END) and not version.dropped
            ]
            if not decided:
                return None
            first = min(decided, key=lambda version: version.version)
            if first.state is State.END:
                failed[name, first.version] = self.records.of(name)[first.version][1]
        return failed

    def initial_load_done(self) -> None:
        """Reduces the number of versions that load at the same time to `num_load_threads`."""
        self._initial = False

    def stop(self, timeout: float | None = None) -> bool:
        """Unloads all versions after their requests, and ends the threads.

        Args:
            timeout: Seconds after which versions in use stay loaded. Defaults to no limit.

        Returns:
            Whether all versions are unloaded.
        """
        end = None if timeout is None else time.monotonic() + timeout
        self.aspire({}, set())
        with self.changed:
            while any(self._managed.values()):
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    _LOG.warning("Stopped with versions still in use.")
                    break
                self.changed.wait(left)
            unloaded = not any(self._managed.values())
        self._stop.set()
        if self._thread.ident is not None:  # it was started
            self._thread.join()
        if unloaded:
            self._shared.close()
        return unloaded

    def _manage(self) -> None:
        while not self._stop.wait(self._options.manage_interval):
            with self.changed:
                self._follow_aspired()
                action = self._next_action()
                if action is None:
                    continue
                kind, version = action
                if kind == "unload":
                    self._set_state(version, State.UNLOADING)
                    target = self._unload
                else:
                    version.loading = True
                    if version.state is State.START:
                        self._set_state(version, State.LOADING)
                    target = self._load
            threading.Thread(target=target, args=(version,), name=kind, daemon=True).start()

    def _follow_aspired(self) -> None:
        for name, versions in self._managed.items():
            aspired = self._aspired.get(name, {})
            for version in list(versions.values()):
                version.dropped = version.dropped or name not in self._aspired
                version.aspired = version.version in aspired and not version.dropped
                waits = version.state is State.LOADING and not version.loading
                if not version.aspired and (version.state is State.START or waits):
                    self._end(version, None)
                elif version.state is State.END and version.dropped:
                    self._forget(version)
        for name, paths in self._aspired.items():
            managed = self._managed.setdefault(name, {})
            for number, path in paths.items():
                if number not in managed:
                    managed[number] = ManagedVersion(name, number, path)
                    self._set_state(managed[number], State.START)

    def _next_action(self) -> tuple[str, ManagedVersion] | None:
        everything = [list(versions.values()) for versions in self._managed.values()]
        actions = [action for action in map(next_action, everything) if action is not None]
        unloads = [action for action in actions if action[0] == "unload"]
        if unloads:
            return unloads[0]
        versions = [version for some in everything for version in some]
        threads = self._options.num_load_threads or 1
        if self._initial:
            threads = max(threads, self._options.num_initial_load_threads)
        if sum(version.loading for version in versions) >= threads:
            return None
        for version in versions:
            waits = version.state is State.LOADING and not version.loading
            if waits and version.retry_at <= time.monotonic():
                return "load", version
        return actions[0] if actions else None

    def _load(self, version: ManagedVersion) -> None:
        started = time.monotonic()
        servable, error = None, None
        try:
            servable = self._load_servable(version)
        except StatusError as failure:
            # A copy without the traceback, which refers to all that the attempt has read.
            error = StatusError(failure.code, failure.message)
        except Exception as failure:
            _LOG.exception("Loading %s failed.", version.label)
            error = StatusError(Code.INTERNAL, f"{type(failure).__name__}: {failure}")
        seconds = time.monotonic() - started
        self._options.observer.load_attempted(version.name, version.version, seconds, error)
        with self.changed:
            version.loading = False
            if error is None:
                version.servable = servable
                _LOG.info("Loaded %s in %.2f s.", version.label, seconds)
                self._set_state(version, State.AVAILABLE)
            else:
                self._load_failed(version, error)

    def _load_servable(self, version: ManagedVersion) -> Servable:
        if not version.path.is_dir():
            raise StatusError(
                Code.FAILED_PRECONDITION,
                "Error while attempting to reserve resources to load servable "
                f"{version.label}: {version.path} is not a directory",
            )
        options = self._options
        servable = options.load(version.name, version.version, version.path, self._shared)
        try:
            if options.enable_model_warmup:
                warm_up(servable, options.num_request_iterations_for_warmup)
        except BaseException:
            servable.close()
            raise
        # Without `freeze` each collection would traverse all of TensorFlow's Python objects. The garbage
        # of loading is collected first, because frozen objects are never collected.
        gc.collect()
        gc.freeze()
        return servable

    def _load_failed(self, version: ManagedVersion, error: StatusError) -> None:
        version.attempts += 1
        retries = self._options.max_num_load_retries
        if version.aspired and version.attempts <= retries:
            seconds = self._options.load_retry_interval_micros / 1e6
            version.retry_at = time.monotonic() + seconds
            _LOG.error(
                "%s cannot be loaded: %s. Trying again in %g s, %d of %d.",
                version.label,
                error,
                seconds,
                version.attempts,
                retries,
            )
        else:
            _LOG.error("%s cannot be loaded: %s", version.label, error)
            self._end(version, error)

    def _unload(self, version: ManagedVersion) -> None:
        version.wait_until_unused()
        if version.servable is not None:
            version.servable.close()
            version.servable = None
        with self.changed:
            self._end(version, None)
        _LOG.info("Unloaded %s.", version.label)

    def _end(self, version: ManagedVersion, error: StatusError | None) -> None:
        # A failed version is kept while its model is configured: it is not loaded again, and the
        # versions that are served stay if it is the aspired one.
        if error is None:
            del self._managed[version.name][version.version]
        self._set_state(version, State.END, error)

    def _forget(self, version: ManagedVersion) -> None:
        del self._managed[version.name][version.version]
        self.changed.notify_all()

    def _set_state(
        self, version: ManagedVersion, state: State, error: StatusError | None = None
    ) -> None:
        version.state = state
        self.records.put(version, error)
        self.serving = {
            name: ready
            for name, versions in self._managed.items()
            if (
                ready := {
                    number: versions[number]
                    for number in sorted(versions)
                    if versions[number].state is State.AVAILABLE
                }
            )
        }
        self._options.observer.state_changed(version.name, version.version, state, error)
        self.changed.notify_all()
