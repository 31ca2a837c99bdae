"""What the methods of both clients say to a server, and what they make of the answers."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from vae_tf_serving.client import rows
from vae_tf_serving.client.error import ServingError, UnfitAnswerError, invalid
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import Call, Protocol
from vae_tf_serving.client.results import Encoding, Metadata, Scores, VersionStatus
from vae_tf_serving.client.seeds import row_seeds
from vae_tf_serving.client.signature import Signature

T = TypeVar("T")
Steps = Generator[Call, bytes, T]
Seed = int | Sequence[int] | np.ndarray | None


class Operations:
    """Each method yields calls, is sent their answers, and returns the result.

    So the clients with and without asyncio differ in nothing but how bytes travel.

    Args:
        options: For the sizes of requests.
        protocol: Writes the calls.
    """

    def __init__(self, options: Options, protocol: Protocol) -> None:
        self._options = options
        self._protocol = protocol
        self._known: Metadata | None = None

    def sample(self, n: int, seed: Seed) -> Steps[np.ndarray]:
        """See `Client.sample`."""
        outputs = yield from self.predict({"seed": row_seeds(n, seed)}, "sample", cut=True)
        return _output(outputs, "x")

    def encode(self, x: Any) -> Steps[Encoding]:
        """See `Client.encode`."""
        outputs = yield from self.predict({"x": _examples(x)}, "encode", cut=True)
        return Encoding(_output(outputs, "mean"), _output(outputs, "stddev"))

    def decode(self, z: Any) -> Steps[np.ndarray]:
        """See `Client.decode`."""
        outputs = yield from self.predict({"z": z}, "decode", cut=True)
        return _output(outputs, "x")

    def reconstruct(self, x: Any) -> Steps[np.ndarray]:
        """See `Client.reconstruct`."""
        outputs = yield from self.predict({"x": _examples(x)}, "reconstruct", cut=True)
        return _output(outputs, "x")

    def score(self, x: Any, seed: Seed) -> Steps[Scores]:
        """See `Client.score`."""
        x = _examples(x)
        inputs = {"x": x, "seed": row_seeds(len(x) if x.ndim else 1, seed)}
        outputs = yield from self.predict(inputs, "score", cut=True)
        return Scores(_output(outputs, "log_prob"), _output(outputs, "elbo"))

    def predict(
        self, inputs: Mapping[str, Any], signature_name: str, cut: bool
    ) -> Steps[dict[str, np.ndarray]]:
        """See `Client.predict`."""
        before = self._known
        signature, arrays = yield from self._checked(inputs, signature_name)
        if not cut:
            return (yield from self._ask(arrays, signature_name, signature))
        number = rows.count(arrays)
        if number == 0:
            return rows.empty(signature)
        if number > self._per_request(arrays, signature):
            known = None if self._known is before else self._known  # which is new, or may be old
            return (yield from self._cut(inputs, signature_name, known))
        outputs = yield from self._ask(arrays, signature_name, signature)
        rows.check_answer(outputs, number)
        return outputs

    def status(self) -> Steps[list[VersionStatus]]:
        """See `Client.status`."""
        return self._protocol.version_statuses((yield self._protocol.status()))

    def metadata(self) -> Steps[Metadata]:
        """See `Client.metadata`."""
        self._known = self._protocol.metadata((yield self._protocol.describe()))
        return self._known

    def _per_request(self, arrays: Mapping[str, np.ndarray], signature: Signature) -> int:
        return rows.per_request(arrays, signature, self._options, self._protocol.growth)

    def _ask(
        self, arrays: dict[str, np.ndarray], name: str, signature: Signature
    ) -> Steps[dict[str, np.ndarray]]:
        """One request. What it answers may be another version than was known."""
        answer = yield self._protocol.predict(name, arrays)
        try:
            return self._protocol.outputs(answer, signature)
        except UnfitAnswerError:
            known = yield from self.metadata()
            if name not in known.signatures:
                raise
            return self._protocol.outputs(answer, known.signatures[name])

    def _cut(
        self, inputs: Mapping[str, Any], name: str, known: Metadata | None
    ) -> Steps[dict[str, np.ndarray]]:
        """Several requests to one version, and once more to another if that one is gone meanwhile."""
        try:
            return (yield from self._parts(inputs, name, known))
        except ServingError as error:
            if error.code != "NOT_FOUND" or self._options.version is not None:
                raise
        return (yield from self._parts(inputs, name, None))

    def _parts(
        self, inputs: Mapping[str, Any], name: str, known: Metadata | None
    ) -> Steps[dict[str, np.ndarray]]:
        known = known or (yield from self.metadata())
        signature, arrays = _fit(known, inputs, name)
        parts = []
        for part in rows.cut(arrays, self._per_request(arrays, signature)):
            answer = yield self._protocol.predict(name, part, known.version)
            parts.append(self._protocol.outputs(answer, signature))
            rows.check_answer(parts[-1], rows.count(part))
        return rows.join(parts)

    def _checked(
        self, inputs: Mapping[str, Any], name: str
    ) -> Steps[tuple[Signature, dict[str, np.ndarray]]]:
        """The signature, and the inputs as it wants them.

        What is known of the model is asked for once, and again when inputs do not fit it: another
        version may have taken over since.
        """
        if known := self._known:
            try:
                return _fit(known, inputs, name)
            except ServingError:
                pass
        known = yield from self.metadata()
        return _fit(known, inputs, name)


def _fit(
    known: Metadata, inputs: Mapping[str, Any], name: str
) -> tuple[Signature, dict[str, np.ndarray]]:
    if name not in known.signatures:
        names = ", ".join(sorted(known.signatures))
        raise invalid(
            f"Version {known.version} of model {known.model_name!r} has no signature {name!r}; "
            f"it has {names}."
        )
    signature = known.signatures[name]
    return signature, signature.arrays(name, inputs)


def _examples(x: Any) -> np.ndarray:
    try:
        x = np.asarray(x)
    except ValueError:
        raise invalid("x is ragged, expected examples of one shape.") from None
    if x.dtype == np.uint8:
        raise invalid(
            "x has 8-bit elements, expected floats in the range that the model was trained on; "
            "for [0, 1], divide them by 255."
        )
    return x


def _output(outputs: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in outputs:
        given = ", ".join(sorted(outputs))
        raise ServingError("INTERNAL", f"The answer has no output {name!r}; it has {given}.")
    return outputs[name]
