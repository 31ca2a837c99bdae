"""Options of the model manager."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from vae_tf_serving.core.execution.servable import Servable, ServableOptions
from vae_tf_serving.core.observer import Observer


@dataclass(frozen=True)
class ManagerOptions:
    """Options of a `ModelManager`, named after the flags of TensorFlow Serving.

    Attributes:
        servable: How versions are loaded and run.
        observer: Notified of events.
        file_system_poll_wait_seconds: Seconds between scans of the base paths; 0 for one scan.
        max_num_load_retries: Attempts to load after the first that failed.
        load_retry_interval_micros: Time between attempts.
        num_load_threads: Versions loaded at the same time, after the initial load; 0 means 1.
        num_initial_load_threads: Versions loaded at the same time until all models are available.
        allow_version_labels_for_unavailable_models: Whether a new label may name a version that is
            not available.
        enable_model_warmup: Whether warm-up requests are run.
        num_request_iterations_for_warmup: Runs of each warm-up request; 0 means 1.
        manage_interval: Seconds between actions of the manager, which starts one at a time.
        load: Loads a Servable from name, version, path and shared threads; replaced in tests.
    """

    servable: ServableOptions = field(default_factory=ServableOptions)
    observer: Observer = field(default_factory=Observer)
    file_system_poll_wait_seconds: float = 1.0
    max_num_load_retries: int = 5
    load_retry_interval_micros: int = 60_000_000
    num_load_threads: int = 0
    num_initial_load_threads: int = 4 * (os.cpu_count() or 1)
    allow_version_labels_for_unavailable_models: bool = False
    enable_model_warmup: bool = True
    num_request_iterations_for_warmup: int = 0
    manage_interval: float = 0.1
    load: Callable[..., Servable] = Servable
