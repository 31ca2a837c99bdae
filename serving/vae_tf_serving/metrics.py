"""Prometheus metrics, with the names, labels and buckets of TensorFlow Serving."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import Code, StatusError

_PREFIX = ":tensorflow:serving:"
_BATCHING = _PREFIX + "batching_session:"
_TIMES = tuple(10 * 1.8**k for k in range(33))  # microseconds
_SIZES = tuple(2.0**k for k in range(15))
_MICROSECONDS = 1e6
_MAX_UNKNOWN_LABELS = 10_000
_MAX_LABEL_LENGTH = 128
_END = 50  # ModelVersionStatus.State.END, the last state of a version

_M = TypeVar("_M", Counter, Histogram)


class Metrics(Observer):
    """Counts requests, runs, batches and loads of one server.

    `prometheus_client` keeps the numbers. The page is written here, because the library would append
    `_total` to the names of TensorFlow Serving's counters.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._children: dict[tuple[str, ...], Any] = {}
        self._models: set[str] = set()
        self._unknown_labels: set[str] = set()
        self._lock = threading.Lock()
        self._serving: set[tuple[str, int]] = set()
        counter, times, sizes = self._counter, self._times, self._sizes
        self._requests = counter(_PREFIX + "request_count", "model_name", "status")
        self._latency = times(_PREFIX + "request_latency", "model_name", "API", "entrypoint")
        self._runtime = times(_PREFIX + "runtime_latency", "model_name", "API", "runtime")
        self._examples = sizes(_PREFIX + "request_example_counts", "model")
        self._example_total = counter(_PREFIX + "request_example_count_total", "model")
        self._warm_up = times(_PREFIX + "model_warmup_latency", "model_path", "status")
        self._records = counter(
            _PREFIX + "model_warmup_latency_records_read", "model_path", "status"
        )
        self._queuing = times(_BATCHING + "queuing_latency", "thread_pool_name")
        self._runs = counter(_BATCHING + "wrapped_run_count")
        self._input = sizes(_BATCHING + "input_batch_size")
        self._processed = sizes(_BATCHING + "processed_batch_size")
        self._padding = sizes(_BATCHING + "padding_size", "execution_batch_size")
        self._versions = Gauge(
            _PREFIX + "mlmd_map", "", ("model_name", "version"), registry=self.registry
        )
        self._loads = counter(
            ":tensorflow:cc:saved_model:load_attempt_count", "model_path", "status"
        )
        self._load_times = counter(":tensorflow:cc:saved_model:load_latency", "model_path")

    def answered(
        self, model: str, api: str, entrypoint: str, error: StatusError | None, seconds: float
    ) -> None:
        """Counts a request.

        Args:
            model: Name of the model; empty if the path could not be parsed.
            api: `predict` for REST, `Predict` for gRPC, empty for status and metadata.
            entrypoint: `REST` or `GRPC`.
            error: None for a success; the latency has successes only.
            seconds: From the complete request to the response.
        """
        code = Code.OK if error is None else error.code
        model = self._model_label(model)
        self._child(self._requests, model, code.name).inc()
        if error is None:
            child = self._child(self._latency, model, api, entrypoint)
            child.observe(seconds * _MICROSECONDS)

    def state_changed(self, name: str, version: int, state: int, error: StatusError | None) -> None:
        """See `Observer`."""
        key = (name, version)
        self._models.add(name)
        with self._lock:
            if state != _END:
                self._serving.add(key)
                self._versions.labels(name, str(version)).set(1)
            elif key in self._serving:
                self._serving.remove(key)
                self._versions.remove(name, str(version))

    def load_attempted(
        self, name: str, version: int, seconds: float, error: StatusError | None
    ) -> None:
        """See `Observer`."""
        status = "success" if error is None else "fail"
        self._child(self._loads, f"{name}/{version}", status).inc()
        self._child(self._load_times, f"{name}/{version}").inc(seconds * _MICROSECONDS)

    def warmed_up(self, path: str, records: int, seconds: float, status: str) -> None:
        """See `Observer`."""
        self._child(self._warm_up, path, status).observe(seconds * _MICROSECONDS)
        self._child(self._records, path, status).inc(records)

    def request_queued(self, rows: int) -> None:
        """See `Observer`."""
        self._input.observe(rows)

    def batch_processed(self, rows: int, padding: int, waits: Sequence[float]) -> None:
        """See `Observer`."""
        self._runs.inc()
        self._processed.observe(rows + padding)
        self._child(self._padding, self._limited(str(rows + padding))).observe(padding)
        queuing = self._child(self._queuing, "")
        for wait in waits:
            queuing.observe(wait * _MICROSECONDS)

    def ran(self, name: str, api: str, seconds: float) -> None:
        """See `Observer`."""
        self._child(self._runtime, name, api, "TF1").observe(seconds * _MICROSECONDS)

    def examples(self, name: str, count: int) -> None:
        """See `Observer`."""
        self._child(self._examples, name).observe(count)
        self._child(self._example_total, name).inc(count)

    def page(self) -> bytes:
        """Returns the text of the page: a TYPE line for each metric, and its samples."""
        lines: list[str] = []
        for metric in self.registry.collect():
            lines += _lines(metric)
        return ("\n".join(lines) + "\n").encode()

    def _model_label(self, model: str) -> str:
        """Returns the label of a model; the number of unknown names is limited."""
        return model if model in self._models else self._limited(model[:_MAX_LABEL_LENGTH])

    def _limited(self, label: str) -> str:
        """Returns `label`, or an empty label after 10 000 different unknown ones."""
        if label not in self._unknown_labels:
            if len(self._unknown_labels) >= _MAX_UNKNOWN_LABELS:
                return ""
            self._unknown_labels.add(label)
        return label

    def _counter(self, name: str, *labels: str) -> Counter:
        return Counter(name, "", labels, registry=self.registry)

    def _times(self, name: str, *labels: str) -> Histogram:
        return Histogram(name, "", labels, registry=self.registry, buckets=_TIMES)

    def _sizes(self, name: str, *labels: str) -> Histogram:
        return Histogram(name, "", labels, registry=self.registry, buckets=_SIZES)

    def _child(self, metric: _M, *labels: str) -> _M:
        """Returns `metric.labels(*labels)` from a cache that is faster than the library's look-up."""
        key = (metric._name, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child


def _lines(metric: Metric) -> Iterator[str]:
    # The library removes `_total` from a counter's name, and appends it to each sample.
    total = "_total" if metric.name.endswith("_example_count") else ""
    yield f"# TYPE {metric.name}{total} {metric.type}"
    for sample in metric.samples:
        if sample.name.endswith("_created"):
            continue
        name = sample.name
        if metric.type == "counter":
            name = metric.name + total
        yield f"{name}{{{_labels(sample)}}} {_number(sample.value)}"


def _labels(sample: Sample) -> str:
    return ",".join(
        f'{name}="{_bound(value) if name == "le" else _escaped(value)}"'
        for name, value in sample.labels.items()
    )


def _bound(text: str) -> str:
    return text if text == "+Inf" else f"{float(text):g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
