"""One loaded SavedModel, run the way TensorFlow Serving runs it."""

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

# The session's public `run` and `make_callable` compare the shape of what is fed with the
# placeholder's, which TensorFlow Serving never does; below them lies only this module.
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.saved_model.loader_impl import SavedModelLoader

from vae_tf_serving.core.execution.unbounded_ops import has_loop
from vae_tf_serving.status import Code, StatusError

# Without a timer a run costs a quarter less, but cannot be stopped; one that is expected to take
# this small a part of the time it has goes without.
_SHORT = 1 / 20
_MOST_KINDS = 4096  # of runs whose time is remembered: clients choose the outputs


class SavedModelSession:
    """A SavedModel in a TensorFlow session of its own.

    What is fed is not compared with the shapes that the signature declares: a shape is wrong only
    when an operation says so. The dtype is checked by the runtime.

    Args:
        path: The version's directory, which holds `saved_model.pb`.
        tags: Tags of the wanted meta graph.
        intra_op_threads: Threads of one operation. 0 is one, the fastest for small requests.
        inter_op_threads: Threads of the runs that a timer watches. 0 is one.

    Attributes:
        path: Path.
        meta_graph: MetaGraphDef. The signatures and the tags; the graph itself is left out.

    Raises:
        StatusError: if the directory does not hold a SavedModel with these tags, or it cannot be
            restored or initialised.
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
            name: not has_loop(loaded.graph_def, [name.split(":")[0]])
            for signature in loaded.signature_def.values()
            for name in (output.name for output in signature.outputs.values())
        }
        self._longest: dict[tuple[tuple[str, ...], int], float] = {}
        self._usual: dict[tuple[tuple[str, ...], int], float] = {}
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._runs = 0
        self._closed = False

    def run(
        self, feeds: dict[str, np.ndarray], fetches: Sequence[str], timeout_ms: int | None = None
    ) -> list[np.ndarray]:
        """Computes tensors, in the calling thread or watched by a timer.

        Args:
            feeds: Tensor name -> value.
            fetches: Tensor names.
            timeout_ms: Milliseconds after which to give up. A run that is expected to end long
                before that is not interrupted.

        Returns:
            The values, in the order of `fetches`.

        Raises:
            StatusError: as the runtime reports it, such as INVALID_ARGUMENT for a wrong dtype or
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
            # NumPy values that have no TensorFlow dtype.
            raise StatusError(Code.INVALID_ARGUMENT, str(error)) from error
        finally:
            with self._lock:
                self._runs -= 1
                if self._closed and not self._runs:
                    self._idle.notify_all()

    def usual_seconds(self, size: int, fetches: Sequence[str]) -> float:
        """How long a run takes that nothing holds up, judged by earlier runs of the like.

        Args:
            size: Bytes of the values to be fed.
            fetches: Tensor names.

        Returns:
            Infinity where none was yet, or a loop in the graph may go on for any time.
        """
        names = tuple(fetches)
        if not self._is_bounded(names):
            return math.inf
        return self._usual.get(_kind(names, size), math.inf)

    def close(self) -> None:
        """Waits for the runs under way, then frees the session and its variables."""
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
        longest = self._longest.get(kind, math.inf)
        unwatched = timeout_ms is None or (
            longest * 1000 < timeout_ms * _SHORT and self._is_bounded(names)
        )
        options = _unwatched() if unwatched else _watched(timeout_ms)
        started = time.monotonic()
        try:
            values = pywrap_tf_session.TF_SessionRun_wrapper(
                self._session, options, fed, fetched, [], None
            )
            return [_array(value) if isinstance(value, bytes) else value for value in values]
        finally:
            taken = time.monotonic() - started
            if len(self._longest) >= _MOST_KINDS:
                self._longest.clear()
                self._usual.clear()
            self._longest[kind] = max(taken, 0.9 * self._longest.get(kind, 0.0))
            # A thread also waits for Python's lock when its run is over: the shorter ones count.
            self._usual[kind] = min(taken, 1.5 * self._usual.get(kind, math.inf))
            if not unwatched:
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
    """The runtime gives a lone string without an array around it."""
    array = np.empty((), object)
    array[()] = text
    return array


def _kind(names: tuple[str, ...], size: int) -> tuple[tuple[str, ...], int]:
    """Equal for runs that take about the same time."""
    return names, size.bit_length()


def size_of(feeds: dict[str, np.ndarray]) -> int:
    """Bytes of the values, those of their strings included."""
    return sum(
        sum(map(len, value.flat)) if value.dtype.hasobject else value.nbytes
        for value in feeds.values()
    )


def status_error(error: tf.errors.OpError) -> StatusError:
    """The status that a TensorFlow error carries."""
    return StatusError(Code(error.error_code), error.message)


def _load(
    path: Path, tags: list[str], intra_op_threads: int, inter_op_threads: int
) -> tuple[Any, MetaGraphDef, dict[str, Any]]:
    """Returns the TF_Session, the whole meta graph, and tensor name -> TF_Output or its error."""
    loader = _loader(path, tags)
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=intra_op_threads,
        inter_op_parallelism_threads=inter_op_threads,
        use_per_session_threads=True,  # a slow model does not hold up the others
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
    # The handle is kept without the Session and the Graph, which are cycles of Python objects by
    # the thousand: the runtime owns the graph for as long as the handle lives.
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
def _unwatched() -> Any:
    # -1: in the calling thread, without a switch to the session's own.
    return _buffer(tf.compat.v1.RunOptions(inter_op_thread_pool=-1))


def _watched(timeout_ms: int | None) -> Any:
    return _buffer(tf.compat.v1.RunOptions(timeout_in_ms=timeout_ms))


def _buffer(options: Any) -> Any:
    return pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString())
