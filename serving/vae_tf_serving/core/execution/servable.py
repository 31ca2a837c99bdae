"""Loaded version of a model."""

import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from vae_tf_serving.core.batching.dynamic_batcher import DynamicBatcher
from vae_tf_serving.core.batching.event_loop_collector import EventLoopCollector
from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.batching.shared_scheduler import BatchQueue, SharedScheduler
from vae_tf_serving.core.batching.task import Task, Values, batch_size, timeout_ms
from vae_tf_serving.core.batching.thread_pool import ThreadPool
from vae_tf_serving.core.config import text_protos
from vae_tf_serving.core.execution.session import SavedModelSession, size_of
from vae_tf_serving.core.execution.signature import Signature
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import StatusError

_PER_MODEL_PARAMETERS = "batching_params.pbtxt"
_SHORT_RUN_SECONDS = 0.5e-3  # a hop to a thread and back takes about as long on busy cores


@dataclass(frozen=True)
class ServableOptions:
    """How versions are loaded and run.

    Attributes:
        tags: Tags of the meta graph (`--saved_model_tags`).
        intra_op_threads: As `SavedModelSession`'s.
        inter_op_threads: As `SavedModelSession`'s.
        batching: Parameters of `--enable_batching`; None for off.
        per_model_batching: Whether a version's own `batching_params.pbtxt` replaces `batching`; a
            version without one is not batched.
        automatic_rows: Rows of a batch of the `DynamicBatcher` of row-wise models at most; 0 for no
            such batching.
        run_threads: Requests outside batches that run at the same time, of all models.
        max_waiting: Requests that may wait in one queue.
        check_method_names: Whether a signature's method name must match the call
            (`--enable_signature_method_name_check`).
    """

    tags: tuple[str, ...] = ("serve",)
    intra_op_threads: int = 0
    inter_op_threads: int = 0
    batching: BatchingOptions | None = None
    per_model_batching: bool = False
    automatic_rows: int = 64
    run_threads: int = 4 * (os.cpu_count() or 1)
    max_waiting: int = 4096
    check_method_names: bool = False


@dataclass
class SharedThreads:
    """Threads that all servables share; closed after the last servable."""

    options: ServableOptions
    observer: Observer = field(default_factory=Observer)

    def __post_init__(self) -> None:
        self.pool = ThreadPool(self.options.run_threads, self.options.max_waiting)
        self._scheduler: SharedScheduler | None = None
        self._lock = threading.Lock()

    def scheduler(self, options: BatchingOptions) -> SharedScheduler:
        """Returns the scheduler; `options` of the first call set its number of threads."""
        with self._lock:
            if self._scheduler is None:
                self._scheduler = SharedScheduler(options.num_batch_threads)
            return self._scheduler

    def close(self) -> None:
        """Ends the threads."""
        self.pool.close()
        if self._scheduler is not None:
            self._scheduler.close()


class Servable:
    """Version of a model that is ready to run; thread-safe.

    Args:
        name: Name of the model.
        version: Number of the version.
        path: Its directory.
        shared: Options, and threads of all servables.

    Attributes:
        name: str.
        version: int.
        path: Path.
        meta_graph: MetaGraphDef. Signatures and tags, without the graph.
        signatures: dict. Key -> `Signature`.
        observer: Observer.
        options: ServableOptions.
        row_wise: bool. Whether the model declares (`"row_wise": true` in
            `assets.extra/vae_tf.json`) that row i of its outputs depends on row i of its inputs
            alone.

    Raises:
        StatusError: The model cannot be loaded, or its batching parameters are invalid.
    """

    def __init__(self, name: str, version: int, path: Path, shared: SharedThreads) -> None:
        self.name = name
        self.version = version
        self.path = Path(path)
        self.options = shared.options
        self.observer = shared.observer
        self.row_wise = _declares_row_wise(self.path)
        self._shared = shared
        self._queues: dict[tuple[frozenset[str], frozenset[str]], BatchQueue] = {}
        self._lock = threading.Lock()
        self._dynamic_batcher: DynamicBatcher | None = None
        self._batching = _batching_options(self.path, self.options)
        self._session = SavedModelSession(
            self.path,
            self.options.tags,
            self.options.intra_op_threads,
            self.options.inter_op_threads,
        )
        self.meta_graph: MetaGraphDef = self._session.meta_graph
        self.signatures = {
            key: Signature.from_proto(proto) for key, proto in self.meta_graph.signature_def.items()
        }
        if self._batching is None and self.row_wise and self.options.automatic_rows:
            self._dynamic_batcher = DynamicBatcher(
                self._run,
                self._is_short,
                self.observer,
                self.options.automatic_rows,
                self.options.max_waiting,
            )

    def submit(
        self,
        inputs: dict[str, np.ndarray],
        outputs: list[str],
        deadline: float | None = None,
        finish: Callable[[Values], Any] | None = None,
        collector: EventLoopCollector | None = None,
    ) -> ResultFuture[Any]:
        """Computes tensors, in another thread or when `collector` is flushed.

        Args:
            inputs: Tensor name -> value.
            outputs: Names of the tensors to compute.
            deadline: `time.monotonic()` seconds; None for no limit. A request that waits past its
                deadline is not run.
            finish: Converts the values to the result, in the thread that computes them; it must be
                fast. Defaults to the values themselves, in the order of `outputs`; they may be
                views of a larger array.
            collector: That of the calling event loop, if there is one.

        Returns:
            The result, or the error that TensorFlow Serving's runtime or batching reports. A future
            that is cancelled before its run begins is not run.

        Raises:
            StatusError: A queue is full (UNAVAILABLE), or the inputs cannot be batched.
        """
        task = Task(inputs, tuple(outputs), deadline, finish)
        if self._batching is not None:
            task.rows = batch_size(inputs)
            if task.rows:
                self._queue(task, self._batching).submit(task)
                return task.future
        elif self._dynamic_batcher is not None:
            task.rows = _rows(inputs)
            if 0 < task.rows <= self._dynamic_batcher.max_rows:
                self._dynamic_batcher.submit(task, collector)
                return task.future
        self._shared.pool.submit(task, self._run)
        return task.future

    def close(self) -> None:
        """Runs the waiting requests, then frees the model. Nothing may be submitted afterwards."""
        # Both kinds of queue refer back to the servable. These cycles must be cut here: objects that
        # are alive when a model has been loaded are frozen, and never collected.
        if self._dynamic_batcher is not None:
            self._dynamic_batcher.close()
            self._dynamic_batcher = None
        if self._batching is not None:
            while self._queues:
                self._shared.scheduler(self._batching).remove(self._queues.popitem()[1])
        self._session.close()

    def _run(
        self, inputs: dict[str, np.ndarray], outputs: tuple[str, ...], deadline: float | None
    ) -> Values:
        return self._session.run(inputs, outputs, timeout_ms(deadline))

    def _is_short(self, tasks: Sequence[Task]) -> bool:
        size = sum(size_of(task.inputs) for task in tasks)
        return self._session.expected_seconds(size, tasks[0].outputs) < _SHORT_RUN_SECONDS

    def _queue(self, task: Task, options: BatchingOptions) -> BatchQueue:
        key = frozenset(task.inputs), frozenset(task.outputs)
        queue = self._queues.get(key)
        if queue is None:
            with self._lock:
                queue = self._queues.get(key)
                if queue is None:
                    scheduler = self._shared.scheduler(options)
                    queue = BatchQueue(options, scheduler, self._run, self.observer)
                    self._queues[key] = queue
        return queue


def _rows(inputs: dict[str, np.ndarray]) -> int:
    """Returns the rows of a request, or 0 if it cannot be batched."""
    try:
        return batch_size(inputs)
    except StatusError:
        return 0


def _batching_options(path: Path, options: ServableOptions) -> BatchingOptions | None:
    batching = options.batching
    if options.per_model_batching:
        own = path / _PER_MODEL_PARAMETERS
        found = own.exists()
        batching = (
            BatchingOptions.from_proto(text_protos.batching_parameters(own)) if found else None
        )
    if batching is not None:
        batching.check()
    return batching


def _declares_row_wise(path: Path) -> bool:
    try:
        declared = json.loads((path / "assets.extra" / "vae_tf.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(declared, dict) and declared.get("row_wise") is True
