"""The exception of the clients."""

from collections.abc import Iterable

from vae_tf_serving.status import Code


class ServingError(Exception):
    """A call that was not answered, or that the client saw would not be.

    Attributes:
        code: str. The canonical name, the same for both protocols: "NOT_FOUND", "UNAVAILABLE", ...
            REST has fewer codes than gRPC: 400 is always "INVALID_ARGUMENT", 409 "ABORTED" and 500
            "INTERNAL".
        message: str. The server's text, or one sentence of the client's.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)  # both, so that it can be pickled
        self.code = Code[code].name
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class UnfitAnswerError(ServingError):
    """An answer that is none of the signature which was called: another version may have given it.

    Args:
        outputs: What the signature answers.
    """

    def __init__(self, outputs: Iterable[str]) -> None:
        names = ", ".join(sorted(outputs))
        super().__init__(Code.INTERNAL.name, f"The answer does not fit the outputs {names}.")

    def __reduce__(self) -> tuple:
        return ServingError, (self.code, self.message)


def invalid(message: str) -> ServingError:
    """The error of a request that the client does not send."""
    return ServingError(Code.INVALID_ARGUMENT.name, message)
