"""Methods of both clients, as generators of calls."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from vae_tf_serving.client import rows
from vae_tf_serving.client.error import ResponseMismatchError, ServingError, invalid
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import Call, Protocol
from vae_tf_serving.client.results import Encoding, Metadata, Scores, VersionStatus
from vae_tf_serving.client.signature import Signature

T = TypeVar("T")
Steps = Generator[Call, bytes, T]
Seed = int | Sequence[int] | np.ndarray | None


class Operations:
    """Generators that yield calls, are sent the responses, and return the result.

    The blocking and the asyncio client differ only in the transport.

    Args:
        options: Sizes of requests.
        protocol: Serializes the calls.
    """

    def __init__(self, options: Options, protocol: Protocol) -> None:
        self._options = options
        self._protocol = protocol
        self._known: Metadata | None = None

    def sample(self, n: int, seed: Seed, further: Mapping[str, Any]) -> Steps[np.ndarray]:
        """See `Client.sample`."""
        inputs = {"seed": rows.row_seeds(n, seed), **further}
        return _output((yield from self.predict(inputs, "sample", cut=True)), "x")

    def encode(self, x: Any, further: Mapping[str, Any]) -> Steps[Any]:
        """See `Client.encode`."""
        inputs = {"x": _examples(x), **further}
        return _encoding((yield from self.predict(inputs, "encode", cut=True)))

    def decode(self, z: Any, further: Mapping[str, Any]) -> Steps[np.ndarray]:
        """See `Client.decode`."""
        inputs = further if z is None else {"z": z, **further}
        return _output((yield from self.predict(inputs, "decode", cut=True)), "x")

    def reconstruct(self, x: Any, further: Mapping[str, Any]) -> Steps[np.ndarray]:
        """See `Client.reconstruct`."""
        inputs = {"x": _examples(x), **further}
        return _output((yield from self.predict(inputs, "reconstruct", cut=True)), "x")

    def score(self, x: Any, seed: Seed, further: Mapping[str, Any]) -> Steps[Scores]:
        """See `Client.score`."""
        x = _examples(x)
        inputs = {"x": x, "seed": rows.row_seeds(len(x) if x.ndim else 1, seed), **further}
        outputs = yield from self.predict(inputs, "score", cut=True)
        return Scores(_output(outputs, "log_prob"), _output(outputs, "elbo"))

    def predict(
        self, inputs: Mapping[str, Any], signature_name: str, cut: bool
    ) -> Steps[dict[str, np.ndarray]]:
        """See `Client.predict`."""
        before = self._known
        signature, arrays = yield from self._fitted_inputs(inputs, signature_name)
        if not cut:
            return (yield from self._single_request(arrays, signature_name, signature))
        number = rows.count(arrays)
        if number == 0:
            return rows.empty(signature)
        if number > self._per_request(arrays, signature):
            fresh = None if self._known is before else self._known
            return (yield from self._split_request(inputs, signature_name, fresh))
        outputs = yield from self._single_request(arrays, signature_name, signature)
        rows.check_rows(outputs, number)
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

    def _single_request(
        self, arrays: dict[str, np.ndarray], name: str, signature: Signature
    ) -> Steps[dict[str, np.ndarray]]:
        """Sends one request; the response may be one of another version than the known one."""
        response = yield self._protocol.predict(name, arrays)
        try:
            return self._protocol.outputs(response, signature)
        except ResponseMismatchError:
            known = yield from self.metadata()
            if name not in known.signatures:
                raise
            return self._protocol.outputs(response, known.signatures[name])

    def _split_request(
        self, inputs: Mapping[str, Any], name: str, known: Metadata | None
    ) -> Steps[dict[str, np.ndarray]]:
        """Sends several requests to one version; starts over once if it has been unloaded.

        `known` is metadata that was just requested, or None.
        """
        try:
            return (yield from self._requests_to_one_version(inputs, name, known))
        except ServingError as error:
            if error.code != "NOT_FOUND" or self._options.version is not None:
                raise
        return (yield from self._requests_to_one_version(inputs, name, None))

    def _requests_to_one_version(
        self, inputs: Mapping[str, Any], name: str, known: Metadata | None
    ) -> Steps[dict[str, np.ndarray]]:
        known = known or (yield from self.metadata())
        signature, arrays = _fit(known, inputs, name)
        parts = []
        for part in rows.split(arrays, self._per_request(arrays, signature)):
            response = yield self._protocol.predict(name, part, known.version)
            parts.append(self._protocol.outputs(response, signature))
            rows.check_rows(parts[-1], rows.count(part))
        return rows.join(parts)

    def _fitted_inputs(
        self, inputs: Mapping[str, Any], name: str
    ) -> Steps[tuple[Signature, dict[str, np.ndarray]]]:
        """Returns the signature, and the inputs as arrays of its dtypes.

        The metadata is requested once, and again if inputs do not match it: another version may be
        served since.
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


def _encoding(outputs: Mapping[str, np.ndarray]) -> Encoding | dict[str, Encoding]:
    """The moments of the one latent, or latent -> moments where the outputs name several."""
    names = sorted(name.removesuffix("_mean") for name in outputs if name.endswith("_mean"))
    if "mean" in outputs or not names:
        return Encoding(_output(outputs, "mean"), _output(outputs, "stddev"))
    return {
        name: Encoding(_output(outputs, f"{name}_mean"), _output(outputs, f"{name}_stddev"))
        for name in names
    }


def _output(outputs: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in outputs:
        given = ", ".join(sorted(outputs))
        raise ServingError("INTERNAL", f"The answer has no output {name!r}; it has {given}.")
    return outputs[name]
