"""Exceptions of the clients."""

from collections.abc import Iterable

from vae_tf_serving.status import Code


class ServingError(Exception):
    """Call that failed, or that the client refused to send.

    Attributes:
        code: str. Canonical name of the code: "NOT_FOUND", "UNAVAILABLE", ... REST has fewer codes than
            gRPC: 400 is always "INVALID_ARGUMENT", 409 "ABORTED" and 500 "INTERNAL".
        message: str. The server's message, or one sentence of the client's.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)  # both, for pickle
        self.code = Code[code].name
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ResponseMismatchError(ServingError):
    """Response that does not match the signature that was called, as of another version.

    Args:
        outputs: Names of the outputs of the signature.
    """

    def __init__(self, outputs: Iterable[str]) -> None:
        names = ", ".join(sorted(outputs))
        super().__init__(Code.INTERNAL.name, f"The answer does not fit the outputs {names}.")

    def __reduce__(self) -> tuple:
        return ServingError, (self.code, self.message)


def invalid(message: str) -> ServingError:
    """Makes the error of a request that the client does not send."""
    return ServingError(Code.INVALID_ARGUMENT.name, message)
