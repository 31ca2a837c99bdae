"""TensorFlow session of a SavedModel, run as TensorFlow Serving runs it."""

import math
import os
import threading
import time
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

# The session's public `run` and `make_callable` compare the shapes of the feeds with those of the
# placeholders, which TensorFlow Serving does not do; this is the module that they call.
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.saved_model.loader_impl import SavedModelLoader

from vae_tf_serving.core.execution.unbounded_ops import depends_on_loop
from vae_tf_serving.status import Code, StatusError

# A run without a timer costs a quarter less, but cannot be interrupted. A run gets no timer if it
# is expected to take less than this fraction of its timeout.
_UNTIMED_FRACTION = 1 / 20
_MAX_KINDS = 4096  # kinds of runs whose time is kept; clients choose the outputs


class SavedModelSession:
    """SavedModel in a TensorFlow session of its own.

    Feeds are not compared with the shapes of the signature; only an operation can reject a shape.
    The runtime checks the dtype.

    Args:
        path: Directory of the version, with `saved_model.pb`.
        tags: Tags of the meta graph.
        intra_op_threads: Threads of one operation. 0 means one, the fastest for small requests.
        inter_op_threads: Threads of the runs that have a timer. 0 means one.

    Attributes:
        path: Path.
        meta_graph: MetaGraphDef. Signatures and tags, without the graph.

    Raises:
        StatusError: No SavedModel with these tags, or one that cannot be restored or initialised.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        tags: Iterable[str] = ("serve",),
        intra_op_threads: int = 0,
        inter_op_threads: int = 0,
    ) -> None:
        self.path = Path(path)
        self._session, loaded, self._tensors = _load(
            self.path, list(tags), intra_op_threads or 1, inter_op_threads or 1
        )
        self.meta_graph = MetaGraphDef(
            meta_info_def=loaded.meta_info_def, signature_def=loaded.signature_def
        )
        self._bounded = {
            name: not depends_on_loop(loaded.graph_def, [name.split(":")[0]])
            for signature in loaded.signature_def.values()
            for name in (output.name for output in signature.outputs.values())
        }
        self._max_seconds: dict[tuple[tuple[str, ...], int], float] = {}
        self._min_seconds: dict[tuple[tuple[str, ...], int], float] = {}
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._runs = 0
        self._closed = False

    def run(
        self, feeds: dict[str, np.ndarray], fetches: Sequence[str], timeout_ms: int | None = None
    ) -> list[np.ndarray]:
        """Computes tensors, in the calling thread, or in another thread with a timer.

        Args:
            feeds: Tensor name -> value.
            fetches: Tensor names.
            timeout_ms: Milliseconds after which the run is interrupted; a run that is expected to
                take less than a twentieth of them is not. None for no limit.

        Returns:
            The values, in the order of `fetches`.

        Raises:
            StatusError: The error of the runtime, such as INVALID_ARGUMENT for a wrong dtype or
                shape, or DEADLINE_EXCEEDED `Timed out waiting for notification`.
        """
        names = tuple(fetches)
        with self._lock:
            if self._closed:
                raise StatusError(Code.CANCELLED, "Session has been closed.")
            self._runs += 1
        try:
            return self._run(feeds, names, timeout_ms)
        except tf.errors.OpError as error:
            raise status_error(error) from error
        except (TypeError, ValueError, RuntimeError) as error:
            # NumPy values of a dtype that TensorFlow does not have
            raise StatusError(Code.INVALID_ARGUMENT, str(error)) from error
        finally:
            with self._lock:
                self._runs -= 1
                if self._closed and not self._runs:
                    self._idle.notify_all()

    def expected_seconds(self, size: int, fetches: Sequence[str]) -> float:
        """Returns the time of a run, estimated by the shortest recent runs of its kind.

        Args:
            size: Bytes of the feeds.
            fetches: Tensor names.

        Returns:
            Infinity before the first such run, or if the fetches depend on a loop.
        """
        names = tuple(fetches)
        if not self._is_bounded(names):
            return math.inf
        return self._min_seconds.get(_kind(names, size), math.inf)

    def close(self) -> None:
        """Waits for the current runs, then frees the session and its variables."""
        with self._idle:
            if self._closed:
                return
            self._closed = True
            while self._runs:
                self._idle.wait()
        _delete(self._session)
        self._session = None
        self._tensors = {}

    def _run(
        self, feeds: dict[str, np.ndarray], names: tuple[str, ...], timeout_ms: int | None
    ) -> list[np.ndarray]:
        fed = {self._tensor(name): value for name, value in feeds.items()}
        fetched = [self._tensor(name) for name in names]
        kind = _kind(names, size_of(feeds))
        longest_seconds = self._max_seconds.get(kind, math.inf)
        untimed = timeout_ms is None or (
            longest_seconds * 1000 < timeout_ms * _UNTIMED_FRACTION and self._is_bounded(names)
        )
        options = _untimed_options() if untimed else _timed_options(timeout_ms)
        started = time.monotonic()
        try:
            values = pywrap_tf_session.TF_SessionRun_wrapper(
                self._session, options, fed, fetched, [], None
            )
            return [_array(value) if isinstance(value, bytes) else value for value in values]
        finally:
            seconds = time.monotonic() - started
            if len(self._max_seconds) >= _MAX_KINDS:
                self._max_seconds.clear()
                self._min_seconds.clear()
            self._max_seconds[kind] = max(seconds, 0.9 * self._max_seconds.get(kind, 0.0))
            # A time may include a wait for the GIL after the run: the shorter ones are more exact.
            self._min_seconds[kind] = min(seconds, 1.5 * self._min_seconds.get(kind, math.inf))
            if not untimed:
                pywrap_tf_session.TF_DeleteBuffer(options)

    def _is_bounded(self, names: tuple[str, ...]) -> bool:
        return all(self._bounded.get(name, False) for name in names)

    def _tensor(self, name: str) -> Any:
        found = self._tensors.get(name)
        if found is None:
            raise StatusError(Code.NOT_FOUND, f"FetchOutputs node {name}: not found")
        if isinstance(found, StatusError):
            raise StatusError(found.code, found.message)
        return found


def _array(text: bytes) -> np.ndarray:
    """Returns a string as a scalar array; the runtime gives the bytes alone."""
    array = np.empty((), object)
    array[()] = text
    return array


def _kind(names: tuple[str, ...], size: int) -> tuple[tuple[str, ...], int]:
    """Returns a key that is equal for runs of about the same time."""
    return names, size.bit_length()


def size_of(feeds: dict[str, np.ndarray]) -> int:
    """Returns the bytes of the values, strings included."""
    return sum(
        sum(map(len, value.flat)) if value.dtype.hasobject else value.nbytes
        for value in feeds.values()
    )


def status_error(error: tf.errors.OpError) -> StatusError:
    """Converts a TensorFlow error."""
    return StatusError(Code(error.error_code), error.message)


def _load(
    path: Path, tags: list[str], intra_op_threads: int, inter_op_threads: int
) -> tuple[Any, MetaGraphDef, dict[str, Any]]:
    """Returns the TF_Session, the meta graph, and tensor name -> TF_Output or its error."""
    loader = _loader(path, tags)
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=intra_op_threads,
        inter_op_parallelism_threads=inter_op_threads,
        use_per_session_threads=True,  # so that a slow model does not delay the others
        allow_soft_placement=True,
    )
    config.gpu_options.allow_growth = True
    graph = tf.Graph()
    session = tf.compat.v1.Session(graph=graph, config=config)
    try:
        meta_graph = loader.load(session, tags)
        names = {
            info.name
            for signature in meta_graph.signature_def.values()
            for info in [*signature.inputs.values(), *signature.outputs.values()]
        }
        tensors = {name: _output(graph, name) for name in names if name}
        pywrap_tf_session.ExtendSession(session._session)
    except tf.errors.OpError as error:
        raise status_error(error) from error
    except (ValueError, RuntimeError, TypeError, KeyError, OSError) as error:
        message = f"{path} cannot be loaded: {error}"
        raise StatusError(Code.INVALID_ARGUMENT, message) from error
    # Only the handle is kept, and the runtime keeps the graph for it. Session and Graph are thousands
    # of Python objects in reference cycles.
    handle, session._session = session._session, None
    return handle, meta_graph, tensors


def _loader(path: Path, tags: list[str]) -> SavedModelLoader:
    if not (path / "saved_model.pb").is_file() and not (path / "saved_model.pbtxt").is_file():
        raise StatusError(
            Code.NOT_FOUND,
            "Specified file path does not appear to contain a SavedModel bundle (should have a "
            f"file called `saved_model.pb`). Specified file path: {path}",
        )
    try:
        loader = SavedModelLoader(str(path))
    except (OSError, tf.errors.OpError) as error:
        raise StatusError(
            Code.DATA_LOSS, f"Can't parse {path / 'saved_model.pb'} as binary proto"
        ) from error
    try:
        loader.get_meta_graph_def_from_tags(tags)
    except RuntimeError as error:
        raise StatusError(
            Code.NOT_FOUND,
            f"Could not find meta graph def matching supplied tags: {{ {' '.join(tags)} }}. To "
            "inspect available tag-sets in the SavedModel, please use the SavedModel CLI: "
            "`saved_model_cli`",
        ) from error
    return loader


def _output(graph: tf.Graph, name: str) -> Any:
    operation, _, index = name.partition(":")
    try:
        found = graph.get_operation_by_name(operation)
    except (KeyError, ValueError):
        return StatusError(Code.NOT_FOUND, f"FetchOutputs node {name}: not found")
    number = int(index or 0)
    if number >= len(found.outputs):
        return StatusError(
            Code.OUT_OF_RANGE,
            f"Node '{operation}' (type: '{found.type}', num of outputs: {len(found.outputs)}) "
            f"does not have output {number}",
        )
    return found.outputs[number]._as_tf_output()


def _delete(session: Any) -> None:
    pywrap_tf_session.TF_CloseSession(session)
    pywrap_tf_session.TF_DeleteSession(session)


@cache
def _untimed_options() -> Any:
    # -1: in the calling thread, not in a thread of the session
    return _buffer(tf.compat.v1.RunOptions(inter_op_thread_pool=-1))


def _timed_options(timeout_ms: int | None) -> Any:
    return _buffer(tf.compat.v1.RunOptions(timeout_in_ms=timeout_ms))


def _buffer(options: Any) -> Any:
    return pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString())
