"""One loaded version of a model."""

import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from vae_tf_serving.core.batching.dynamic_batcher import RowBatcher
from vae_tf_serving.core.batching.event_loop_collector import Gathering
from vae_tf_serving.core.batching.future import Answer
from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.batching.shared_scheduler import BatchQueue, BatchThreads
from vae_tf_serving.core.batching.task import Task, Values, batch_size, timeout_ms
from vae_tf_serving.core.batching.thread_pool import ThreadPool
from vae_tf_serving.core.config import text_protos
from vae_tf_serving.core.execution.session import SavedModelSession, size_of
from vae_tf_serving.core.execution.signature import Signature
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import StatusError

_PER_MODEL_PARAMETERS = "batching_params.pbtxt"
_MOMENT = 0.5e-3  # seconds: about what the way to a thread and back costs where cores are busy


@dataclass(frozen=True)
class ServableOptions:
    """How versions are loaded and run.

    Attributes:
        tags: Tags of the meta graph (`--saved_model_tags`).
        intra_op_threads: As `SavedModelSession`'s.
        inter_op_threads: As `SavedModelSession`'s.
        batching: Parameters of `--enable_batching`; None for off.
        per_model_batching: Whether a version's own `batching_params.pbtxt` takes the place of
            `batching`, and a version without one is not batched.
        automatic_rows: Rows of an automatic batch of a row-wise model at most; 0 for no such
            batching.
        run_threads: Requests that run alone at the same time, all models together.
        max_waiting: Requests that may wait, a queue.
        check_method_names: Whether a signature's method name must suit the call
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
    """The threads that all servables use; `close` when the last servable is closed."""

    options: ServableOptions
    observer: Observer = field(default_factory=Observer)

    def __post_init__(self) -> None:
        self.pool = ThreadPool(self.options.run_threads, self.options.max_waiting)
        self._batching: BatchThreads | None = None
        self._lock = threading.Lock()

    def batching(self, options: BatchingOptions) -> BatchThreads:
        """The batch threads, as many as `options` says at the first call."""
        with self._lock:
            if self._batching is None:
                self._batching = BatchThreads(options.num_batch_threads)
            return self._batching

    def close(self) -> None:
        """Ends the threads."""
        self.pool.close()
        if self._batching is not None:
            self._batching.close()


class Servable:
    """A version of a model, ready to run. Safe to use from several threads.

    Args:
        name: Name of the model.
        version: Number of the version.
        path: Its directory.
        shared: Threads and options.

    Attributes:
        name: str.
        version: int.
        path: Path.
        meta_graph: MetaGraphDef. Signatures and tags, without the graph.
        signatures: dict. Key -> `Signature`.
        observer: Observer.
        options: ServableOptions.
        row_wise: bool. Whether the model says that row i of its outputs depends on row i of its
            inputs alone (`"row_wise": true` in `assets.extra/vae_tf.json`).

    Raises:
        StatusError: if it cannot be loaded, or its batching parameters contradict each other.
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
        self._rows: RowBatcher | None = None
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
            self._rows = RowBatcher(
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
        gathering: Gathering | None = None,
    ) -> Answer[Any]:
        """Computes tensors, in another thread or when `gathering` ends.

        Args:
            inputs: Tensor name -> value.
            outputs: Names of the tensors to compute.
            deadline: `time.monotonic()` seconds after which to give up. A request that waits past
                it is not run.
            finish: What makes the answer of the values, where they are computed; it must be
                quick. Defaults to the values themselves, in the order of `outputs`, perhaps views
                of a larger array.
            gathering: Of the event loop that calls, if it is one.

        Returns:
            The answer, which fails as TensorFlow Serving's runtime and batching report. Cancelling
            it before the run begins costs nothing more.

        Raises:
            StatusError: at once, if a queue is full (UNAVAILABLE) or batching forbids the inputs.
        """
        task = Task(inputs, tuple(outputs), deadline, finish)
        if self._batching is not None:
            task.rows = batch_size(inputs)
            if task.rows:
                self._queue(task, self._batching).submit(task)
                return task.answer
        elif self._rows is not None:
            task.rows = _rows(inputs)
            if 0 < task.rows <= self._rows.max_rows:
                self._rows.submit(task, gathering)
                return task.answer
        self._shared.pool.submit(task, self._run)
        return task.answer

    def close(self) -> None:
        """Answers what waits, then frees the model. Nothing may be submitted any more."""
        # Both kinds of queue refer back to the servable. Such a cycle would never be collected:
        # what is alive when a model has been loaded is frozen.
        if self._rows is not None:
            self._rows.close()
            self._rows = None
        if self._batching is not None:
            while self._queues:
                self._shared.batching(self._batching).remove(self._queues.popitem()[1])
        self._session.close()

    def _run(
        self, inputs: dict[str, np.ndarray], outputs: tuple[str, ...], deadline: float | None
    ) -> Values:
        return self._session.run(inputs, outputs, timeout_ms(deadline))

    def _is_short(self, tasks: Sequence[Task]) -> bool:
        size = sum(size_of(task.inputs) for task in tasks)
        return self._session.usual_seconds(size, tasks[0].outputs) < _MOMENT

    def _queue(self, task: Task, options: BatchingOptions) -> BatchQueue:
        key = frozenset(task.inputs), frozenset(task.outputs)
        queue = self._queues.get(key)
        if queue is None:
            with self._lock:
                queue = self._queues.get(key)
                if queue is None:
                    threads = self._shared.batching(options)
                    queue = BatchQueue(options, threads, self._run, self.observer)
                    self._queues[key] = queue
        return queue


def _rows(inputs: dict[str, np.ndarray]) -> int:
    """Rows of a request that can be batched, else 0."""
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
