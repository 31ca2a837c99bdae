"""Error of a server that cannot start."""


class StartError(Exception):
    """Error of the start; the message is one sentence.

    Args:
        message: The error, with a remedy if one is known.
        detail: Further line that TensorFlow Serving writes too and scripts search for, or "".
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail
