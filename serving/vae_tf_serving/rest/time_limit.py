"""The end of work that is done in Python, token by token."""

import time

from vae_tf_serving.status import Code, StatusError

_STEPS = 4096  # between two looks at the clock, which costs more than most steps


class TimeLimit:
    """A deadline that a long loop keeps an eye on.

    Args:
        deadline: Of `time.monotonic()`; None for no limit.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self._deadline = deadline
        self._steps = 0

    def step(self) -> None:
        """Is called in each step.

        Raises:
            StatusError: DEADLINE_EXCEEDED, in the words of a run that takes too long.
        """
        self._steps += 1
        if self._steps % _STEPS or self._deadline is None:
            return
        if time.monotonic() > self._deadline:
            raise StatusError(Code.DEADLINE_EXCEEDED, "Timed out waiting for notification")
