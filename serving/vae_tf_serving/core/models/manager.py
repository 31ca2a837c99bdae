"""The models of a server: found on disk, loaded, handed to requests, replaced, unloaded."""

import logging
import threading
import time
from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from vae_tf_serving.core.batching.task import late
from vae_tf_serving.core.config import text_protos
from vae_tf_serving.core.config.config_checks import Labels, check_labels, check_models, check_paths
from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.core.models.lifecycle import Lifecycle
from vae_tf_serving.core.models.managed_version import ManagedVersion
from vae_tf_serving.core.models.manager_options import ManagerOptions
from vae_tf_serving.core.models.version_policy import find_versions, wanted_versions
from vae_tf_serving.status import Code, StatusError

_LOG = logging.getLogger(__name__)


class ModelManager:
    """Serves the versions that a ModelServerConfig asks for, and follows what lies on disk.

    Args:
        config: Which models; `config_checks.single_model` makes one for a single model.
        options: How.
    """

    def __init__(self, config: ModelServerConfig, options: ManagerOptions | None = None) -> None:
        self._options = options or ManagerOptions()
        self._config = ModelServerConfig()
        self._first_config = ModelServerConfig()
        self._first_config.CopyFrom(config)
        self._labels: Labels = {}
        self._reloading = threading.Lock()
        self._lifecycle = Lifecycle(self._options)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Checks the configuration and begins to load; does not wait.

        Raises:
            StatusError: if the configuration is wrong; nothing has been started then.
        """
        self._apply(self._first_config)
        self._lifecycle.start()
        if self._options.file_system_poll_wait_seconds > 0:
            self._run(self._poll_versions, "version-scan")

    def wait_until_available(self) -> None:
        """Waits until every configured model has an AVAILABLE version; for ever, if it must.

        Raises:
            StatusError: UNKNOWN, if the first version of a model to be decided failed to load;
                CANCELLED, if `stop` is called meanwhile.
        """
        self._wait(self._names(), "servable(s)", None)
        self._lifecycle.initial_load_done()

    def acquire(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> AbstractContextManager[Servable]:
        """An AVAILABLE version, which is not unloaded before the context is left.

        Args:
            name: Name of the model.
            version: The wanted version. Defaults to the one that `label` names, else the highest.
            label: A label ("" is one too).

        Raises:
            StatusError: INVALID_ARGUMENT for an unknown label; NOT_FOUND, here or on entering the
                context, if there is no such version.
        """
        if label is not None:
            version = self._labels.get(name, {}).get(label)
            if version is None:
                raise StatusError(
                    Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}"
                )
        return _Use(self._lifecycle, name, version)

    def status(self, name: str, version: int | None = None) -> list[ModelVersionStatus]:
        """The state of every version the process has known, highest first, or of one.

        Raises:
            StatusError: NOT_FOUND, if there is none.
        """
        with self._lifecycle.changed:
            records = self._lifecycle.records.of(name)
        if version is not None:
            records = {number: record for number, record in records.items() if number == version}
        if not records:
            what = "any versions" if version is None else f"version {version}"
            raise StatusError(Code.NOT_FOUND, f"Could not find {what} of model {name}")
        found = []
        for number, (state, error) in records.items():
            status = ModelVersionStatus(version=number, state=int(state))
            status.status.SetInParent()
            if error is not None:
                status.status.error_code = int(error.code)
                status.status.error_message = error.message
            found.append(status)
        return found

    def reload(self, config: ModelServerConfig, deadline: float | None = None) -> None:
        """Replaces the configuration: omitted models unload, new ones are awaited.

        New versions of models that are known already are not awaited.

        Args:
            config: The new configuration; an empty one changes nothing.
            deadline: `time.monotonic()` seconds after which to wait no longer.

        Raises:
            StatusError: INVALID_ARGUMENT, FAILED_PRECONDITION or NOT_FOUND for a configuration
                that cannot be accepted, which changes nothing; UNKNOWN if a new model fails to
                load; ABORTED if a later reload omits it again; DEADLINE_EXCEEDED.
        """
        if config.WhichOneof("config") is None:
            _LOG.info("Taking no action for empty config.")
            return
        with self._reloading:
            new = {model.name for model in config.model_config_list.config} - self._names()
            self._apply(config, must_exist=new)
        self._wait(new, "model(s)", deadline)

    def poll_config(self, path: str, seconds: float) -> None:
        """Reloads the file at `path` every `seconds` from now on; a bad file changes nothing.

        New models are not awaited: the next file may be what makes them load.
        """

        def poll() -> None:
            while not self._stop.wait(seconds):
                try:
                    self.reload(text_protos.model_server_config(path), deadline=time.monotonic())
                except text_protos.ConfigError as error:
                    _LOG.error("Failed to read ModelServerConfig file: %s", error)
                except StatusError as error:
                    if error.code is not Code.DEADLINE_EXCEEDED:
                        _LOG.error("Failed to apply ModelServerConfig file %s: %s", path, error)

        self._run(poll, "config-poll")

    def stop(self, timeout: float | None = None) -> bool:
        """Unloads all models once their requests have ended, and ends the threads.

        Args:
            timeout: Seconds to wait for the requests. Defaults to as long as they take.

        Returns:
            Whether all are unloaded.
        """
        self._stop.set()
        with self._lifecycle.changed:
            self._lifecycle.changed.notify_all()
        for thread in self._threads:
            thread.join()
        return self._lifecycle.stop(timeout)

    def _names(self) -> set[str]:
        return {model.name for model in self._config.model_config_list.config}

    def _apply(self, config: ModelServerConfig, must_exist: Collection[str] = ()) -> None:
        kind = config.WhichOneof("config")
        if kind not in (None, "model_config_list"):
            raise StatusError(
                Code.FAILED_PRECONDITION,
                "Cannot transition to requested config. It is only legal to transition from one "
                "ModelConfigList to another.",
            )
        models = config.model_config_list.config
        check_models(models, self._config.model_config_list.config)
        serving = self._lifecycle.serving
        labels = check_labels(
            models,
            self._labels,
            lambda name, version: version in serving.get(name, {}),
            self._options.allow_version_labels_for_unavailable_models,
        )
        # TensorFlow Serving waits for ever for such a model, and so does every later reload.
        check_paths(model for model in models if model.name in must_exist)
        self._labels = labels
        accepted = ModelServerConfig()
        accepted.CopyFrom(config)
        self._config = accepted
        self._scan()

    def _poll_versions(self) -> None:
        while not self._stop.wait(self._options.file_system_poll_wait_seconds):
            self._scan()

    def _scan(self) -> None:
        config = self._config
        wanted = {}
        for model in config.model_config_list.config:
            try:
                found = find_versions(Path(model.base_path))
            except OSError as error:
                # The versions that serve go on: the path may come back.
                _LOG.error(
                    "FileSystemStoragePathSource encountered a filesystem access error: Could not "
                    "find base path %s for servable %s with error %s",
                    model.base_path,
                    model.name,
                    error.strerror,
                )
                continue
            wanted[model.name] = wanted_versions(model, found)
            if not wanted[model.name]:
                _LOG.warning(
                    "No versions of servable %s found under base path %s. Did you forget to name "
                    "your leaf directory as a number (eg. '/1/')?",
                    model.name,
                    model.base_path,
                )
        with self._lifecycle.changed:  # no reload's answer comes between the two
            if config is self._config:  # else a reload has scanned meanwhile
                self._lifecycle.aspire(
                    wanted, {model.name for model in config.model_config_list.config}
                )

    def _wait(self, names: set[str], what: str, deadline: float | None) -> None:
        lifecycle = self._lifecycle
        with lifecycle.changed:
            while (failed := lifecycle.failures(names)) is None:
                if self._stop.is_set():
                    raise StatusError(Code.CANCELLED, "The server is being stopped.")
                if not names <= self._names():
                    raise StatusError(Code.ABORTED, "A newer configuration took its place.")
                if deadline is not None and deadline <= time.monotonic():
                    raise late()
                # Woken now and then, so that a signal reaches the main thread.
                lifecycle.changed.wait(0.2)
        if failed:
            reasons = "".join(
                f"{{{{name: {name} version: {version}}}"
                f"{f' due to error: {error}' if error else ''}}}, "
                for (name, version), error in failed.items()
            )
            raise StatusError(
                Code.UNKNOWN, f"{len(failed)} {what} did not become available: {{{reasons}}}"
            )

    def _run(self, target: object, name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()


class _Use(AbstractContextManager[Servable]):
    """One use of a version; it is looked up when the context is entered."""

    __slots__ = ("_lifecycle", "_name", "_used", "_version")

    def __init__(self, lifecycle: Lifecycle, name: str, version: int | None) -> None:
        self._lifecycle = lifecycle
        self._name = name
        self._version = version
        self._used: ManagedVersion | None = None

    def __enter__(self) -> Servable:
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
            # Refused if it began to unload since `serving` was read, which then has changed.
            if found.acquire():
                assert found.servable is not None
                self._used = found
                return found.servable

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._used is not None:
            self._used.release()
            self._used = None
