"""Why a server does not start."""


class StartError(Exception):
    """A server that cannot start, in one sentence.

    Args:
        message: What is wrong, and what to do where that is known.
        detail: A further line that TensorFlow Serving writes too and scripts look for, or "".
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail
