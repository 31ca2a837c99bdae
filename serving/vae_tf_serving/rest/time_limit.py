"""Deadline of loops in Python, such as the parsing of JSON."""

import time

from vae_tf_serving.core.batching.task import deadline_exceeded

_STEPS = 4096  # between two reads of the clock, which cost more than most steps


class TimeLimit:
    """Deadline that a loop checks in each step.

    Args:
        deadline: `time.monotonic()` seconds; None for no limit.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self._deadline = deadline
        self._steps = 0

    def step(self) -> None:
        """Counts one step of the loop.

        Raises:
            StatusError: DEADLINE_EXCEEDED, with the message of a run that exceeds its deadline.
        """
        self._steps += 1
        if self._steps % _STEPS or self._deadline is None:
            return
        if time.monotonic() > self._deadline:
            raise deadline_exceeded()
