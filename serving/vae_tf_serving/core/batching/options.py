"""Batching parameters of TensorFlow Serving."""

import os
from dataclasses import dataclass
from typing import Any

from vae_tf_serving.status import invalid_argument


@dataclass(frozen=True)
class BatchingOptions:
    """Parameters of `--enable_batching`, with upstream's meaning and defaults.

    Attributes:
        max_batch_size: Rows of a request at most, and of a batch unless `max_execution_batch_size` is
            set.
        batch_timeout_micros: Time for which a batch that is not full waits for more requests.
        max_enqueued_batches: Batches of one signature that wait for a thread, at most.
        num_batch_threads: Threads of all models together. Defaults to the number of CPUs.
        allowed_batch_sizes: Sizes to pad to; the last is the size of the largest batch.
        pad_variable_length_inputs: Whether requests of different inner shapes are padded and merged.
        enable_large_batch_splitting: Whether a request may span batches.
        max_execution_batch_size: Rows of a batch at most when splitting. Defaults to
            `max_batch_size`.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = os.cpu_count() or 1
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int = 0

    @classmethod
    def from_proto(cls, proto: Any) -> "BatchingOptions":
        """Reads a `BatchingParameters` proto (see `text_protos.batching_parameters`)."""
        wrapped = {
            name: getattr(proto, name).value
            for name in (
                "max_batch_size",
                "batch_timeout_micros",
                "max_enqueued_batches",
                "num_batch_threads",
                "enable_large_batch_splitting",
                "max_execution_batch_size",
            )
            if proto.HasField(name)
        }
        return cls(
            allowed_batch_sizes=tuple(proto.allowed_batch_sizes),
            pad_variable_length_inputs=proto.pad_variable_length_inputs,
            **wrapped,
        )

    @property
    def largest_batch(self) -> int:
        """Maximum number of rows of a batch."""
        if self.enable_large_batch_splitting and self.max_execution_batch_size:
            return self.max_execution_batch_size
        return self.max_batch_size

    def check(self) -> None:
        """Checks the parameters against each other, as loading a model does.

        Raises:
            StatusError: INVALID_ARGUMENT.
        """
        for name, least in (
            ("num_batch_threads", 1),
            ("max_batch_size", 1),
            ("batch_timeout_micros", 0),
            ("max_enqueued_batches", 1),
            ("max_execution_batch_size", 0),
        ):
            value = getattr(self, name)
            if value < least:
                wanted = "positive" if least else "non-negative"
                raise invalid_argument(f"{name} must be {wanted}; was {value}")
        if self.enable_large_batch_splitting and self.largest_batch > self.max_batch_size:
            raise invalid_argument(
                "max_execution_batch_size must be less than or equal to max_batch_size; was "
                f"{self.largest_batch} against {self.max_batch_size}"
            )
        self._check_allowed()

    def _check_allowed(self) -> None:
        sizes = self.allowed_batch_sizes
        if not sizes:
            return
        if any(size <= before for before, size in zip((0, *sizes), sizes, strict=False)):
            raise invalid_argument("allowed_batch_sizes entries must be monotonically increasing")
        if sizes[-1] == self.largest_batch:
            return
        if self.enable_large_batch_splitting:
            rule = "be equal to max_execution_batch_size"
        else:
            rule = "match max_batch_size"
        raise invalid_argument(
            f"Last entry in allowed_batch_sizes must {rule}; last entry was {sizes[-1]}; "
            f"expected {self.largest_batch}"
        )
