"""REST protocol: URLs and JSON of TensorFlow Serving."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import orjson

from vae_tf_serving.client.error import ResponseMismatchError, ServingError
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.protocol import SIGNATURES, Call, Protocol
from vae_tf_serving.client.results import Metadata, VersionStatus
from vae_tf_serving.client.signature import DTYPE_NAMES, Signature, TensorInfo


class RestProtocol(Protocol):
    """Writes and reads JSON in the columnar format, which can represent every signature."""

    growth = 4  # "-0.12345678," for four bytes

    def __init__(self, options: Options) -> None:
        self._model = self._path = f"/v1/models/{quote(options.model_name, safe='')}"
        if options.version is not None:
            self._path += f"/versions/{options.version}"
        if options.label is not None:
            self._path += f"/labels/{quote(options.label, safe='')}"

    def predict(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], version: int | None = None
    ) -> Call:
        """See `Protocol`."""
        body = {"signature_name": signature_name, "inputs": dict(inputs)}
        if all(_is_finite(array) for array in inputs.values()):
            text = orjson.dumps(body, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY)
        else:
            # `json` writes NaN and Infinity, which the server accepts.
            text = json.dumps(body, default=_plain).encode()
        path = self._path if version is None else f"{self._model}/versions/{version}"
        return Call(f"{path}:predict", text)

    def outputs(self, response: bytes, signature: Signature) -> dict[str, np.ndarray]:
        """See `Protocol`."""
        outputs = _parse(response)["outputs"]
        if len(signature.outputs) == 1:  # the server omits the name of a lone output
            outputs = {next(iter(signature.outputs)): outputs}
        if not isinstance(outputs, dict) or outputs.keys() != signature.outputs.keys():
            raise ResponseMismatchError(signature.outputs)
        try:
            return {name: _array(outputs[name], info) for name, info in signature.outputs.items()}
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
            raise ResponseMismatchError(signature.outputs) from None

    def status(self) -> Call:
        """See `Protocol`."""
        return Call(self._path, None)

    def version_statuses(self, response: bytes) -> list[VersionStatus]:
        """See `Protocol`."""
        return [
            VersionStatus(
                int(version["version"]),
                version["state"],
                version["status"]["error_code"],
                version["status"]["error_message"],
            )
            for version in _parse(response)["model_version_status"]
        ]

    def describe(self) -> Call:
        """See `Protocol`."""
        return Call(f"{self._path}/metadata", None)

    def metadata(self, response: bytes) -> Metadata:
        """See `Protocol`. No input is optional, because REST has no default values."""
        document = _parse(response)
        signatures = document["metadata"][SIGNATURES][SIGNATURES]
        return Metadata(
            document["model_spec"]["name"],
            int(document["model_spec"]["version"]),
            {
                name: Signature(_infos(signature["inputs"]), _infos(signature["outputs"]))
                for name, signature in sorted(signatures.items())
            },
        )


def _parse(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass  # `orjson` refuses NaN and Infinity, which a server may write
    try:
        return json.loads(text)
    except ValueError:
        start = text[:60].decode(errors="replace")
        raise ServingError("UNKNOWN", f"The answer is not JSON; it begins {start!r}.") from None


def _is_finite(array: np.ndarray) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _plain(array: np.ndarray) -> Any:
    """Converts an array of bytes, and for `json` any array, to nested lists."""
    if array.dtype != object:
        return array.tolist()
    encoded = [{"b64": base64.b64encode(value).decode()} for value in array.flat]
    objects = np.empty(len(encoded), object)
    objects[:] = encoded
    return objects.reshape(array.shape).tolist()


def _array(value: Any, info: TensorInfo) -> np.ndarray:
    dtype = info.array_dtype
    if dtype is not None and dtype.kind == "O":
        return _strings(value)
    return np.asarray(value, dtype)


def _strings(value: Any) -> np.ndarray:
    """Converts nested lists of strings and `{"b64": ...}` to an array of bytes."""
    objects = np.array(value, object)
    decoded = np.empty(objects.size, object)
    decoded[:] = [
        base64.b64decode(element["b64"]) if isinstance(element, dict) else element.encode()
        for element in objects.flat
    ]
    return decoded.reshape(objects.shape)


def _infos(tensors: Mapping[str, Any]) -> dict[str, TensorInfo]:
    return {name: _info(info) for name, info in sorted(tensors.items())}


def _info(info: Mapping[str, Any]) -> TensorInfo:
    shape = info["tensor_shape"]
    sizes = (int(dim["size"]) for dim in shape["dim"])
    return TensorInfo(
        DTYPE_NAMES.get(info["dtype"], info["dtype"]),
        None if shape["unknown_rank"] else tuple(None if size < 0 else size for size in sizes),
    )
