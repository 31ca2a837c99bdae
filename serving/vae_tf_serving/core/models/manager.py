"""Model manager: finds, loads, replaces and unloads the versions of all models."""

import logging
import threading
import time
from collections.abc import Collection
from pathlib import Path

from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from vae_tf_serving.core.batching.task import deadline_exceeded
from vae_tf_serving.core.config import text_protos
from vae_tf_serving.core.config.config_checks import Labels, check_labels, check_models, check_paths
from vae_tf_serving.core.models.lifecycle import Lifecycle
from vae_tf_serving.core.models.manager_options import ManagerOptions
from vae_tf_serving.core.models.servable_handle import ServableHandle
from vae_tf_serving.core.models.version_policy import aspired_versions, find_versions
from vae_tf_serving.status import Code, StatusError

_LOG = logging.getLogger(__name__)


class ModelManager:
    """Loads the versions that a ModelServerConfig asks for, and polls the disk for new ones.

    Args:
        config: The models; `config_checks.single_model` makes one for a single model.
        options: Loading, polling and retries.
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
        """Checks the configuration and starts loading; does not wait.

        Raises:
            StatusError: The configuration is invalid; nothing is started in that case.
        """
        self._apply(self._first_config)
        self._lifecycle.start()
        if self._options.file_system_poll_wait_seconds > 0:
            self._run(self._poll_versions, "version-scan")

    def wait_until_available(self) -> None:
        """Waits, without a time limit, until every configured model has an AVAILABLE version.

        Raises:
            StatusError: UNKNOWN: the first version of a model that was decided failed to load;
                CANCELLED: `stop` was called.
        """
        self._wait(self._names(), "servable(s)", None)
        self._lifecycle.initial_load_done()

    def servable_handle(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> ServableHandle:
        """Returns a handle to an AVAILABLE version, to be acquired or used as a context.

        Args:
            name: Name of the model.
            version: Number of the version. Defaults to that of `label`, without a label to the highest.
            label: Label of a version; "" is a label too.

        Raises:
            StatusError: INVALID_ARGUMENT: unknown label. The handle raises NOT_FOUND when it is
                acquired.
        """
        if label is not None:
            version = self._labels.get(name, {}).get(label)
            if version is None:
                raise StatusError(
                    Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}"
                )
        return ServableHandle(self._lifecycle, name, version)

    def status(self, name: str, version: int | None = None) -> list[ModelVersionStatus]:
        """Returns the state of one version, or of all that were ever loaded, highest first.

        Raises:
            StatusError: NOT_FOUND: no such version.
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
        """Replaces the configuration: unloads omitted models, and waits for new ones.

        It does not wait for new versions of models that were configured before.

        Args:
            config: The new configuration; an empty one changes nothing.
            deadline: `time.monotonic()` seconds at which waiting ends; None for no limit.

        Raises:
            StatusError: INVALID_ARGUMENT, FAILED_PRECONDITION or NOT_FOUND: the configuration is
                refused and nothing changes; UNKNOWN: a new model failed to load; ABORTED: a later
                reload omits a new model; DEADLINE_EXCEEDED.
        """
        if config.WhichOneof("config") is None:
            _LOG.info("Taking no action for empty config.")
            return
        with self._reloading:
            new = {model.name for model in config.model_config_list.config} - self._names()
            self._apply(config, must_exist=new)
        self._wait(new, "model(s)", deadline)

    def poll_config(self, path: str, seconds: float) -> None:
        """Starts to reload the file at `path` every `seconds`; an invalid file changes nothing.

        It does not wait for new models, because only the next file may enable them to load.
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
        """Unloads all models after their requests, and ends the threads.

        Args:
            timeout: Seconds to wait for the requests. Defaults to no limit.

        Returns:
            Whether all models are unloaded.
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
        # In TensorFlow Serving a missing path blocks this reload and every later one.
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
        aspired = {}
        for model in config.model_config_list.config:
            try:
                found = find_versions(Path(model.base_path))
            except OSError as error:
                # The versions that are served stay: the path may come back.
                _LOG.error(
                    "FileSystemStoragePathSource encountered a filesystem access error: Could not "
                    "find base path %s for servable %s with error %s",
                    model.base_path,
                    model.name,
                    error.strerror,
                )
                continue
            aspired[model.name] = aspired_versions(model, found)
            if not aspired[model.name]:
                _LOG.warning(
                    "No versions of servable %s found under base path %s. Did you forget to name "
                    "your leaf directory as a number (eg. '/1/')?",
                    model.name,
                    model.base_path,
                )
        with self._lifecycle.changed:  # so that no reload returns between the check and `aspire`
            if config is self._config:  # otherwise a reload has scanned since
                self._lifecycle.aspire(
                    aspired, {model.name for model in config.model_config_list.config}
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
                    raise deadline_exceeded()
                # Returns at least every 0.2 s, so that the main thread can handle signals.
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
