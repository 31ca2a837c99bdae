"""The request logic that REST and gRPC share: from a ModelSpec to the answer of a signature."""

import time
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from tensorflow_serving.apis.model_pb2 import ModelSpec

from vae_tf_serving.core.batching.event_loop_collector import Gathering
from vae_tf_serving.core.batching.future import Answer
from vae_tf_serving.core.batching.task import Values
from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.core.execution.signature import DEFAULT_KEY, Signature
from vae_tf_serving.status import Code, StatusError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from vae_tf_serving.core.models.manager import ModelManager

_METHODS = tuple(f"tensorflow/serving/{name}" for name in ("predict", "classify", "regress"))


def resolve(manager: "ModelManager", spec: ModelSpec | None) -> "AbstractContextManager[Servable]":
    """The servable that a ModelSpec asks for, held until the context is left.

    Args:
        manager: Where to look.
        spec: The request's `model_spec`; None where it has none.

    Raises:
        StatusError: INVALID_ARGUMENT or NOT_FOUND, here or on entering the context.
    """
    if spec is None:
        raise StatusError(Code.INVALID_ARGUMENT, "Missing ModelSpec")
    if not spec.name:
        raise StatusError(Code.INVALID_ARGUMENT, "ModelSpec has no name specified.")
    chosen = spec.WhichOneof("version_choice")
    if chosen == "version":
        return manager.acquire(spec.name, version=spec.version.value)
    if chosen == "version_label":
        return manager.acquire(spec.name, label=spec.version_label)
    return manager.acquire(spec.name)


def find_signature(servable: Servable, key: str) -> Signature:
    """The signature of `key`, "" being `serving_default`, for Predict.

    Raises:
        StatusError: FAILED_PRECONDITION, if there is none; INTERNAL, if method names are checked
            and its is of no kind that Predict takes.
    """
    found = servable.signatures.get(key or DEFAULT_KEY)
    if found is None:
        raise StatusError(
            Code.FAILED_PRECONDITION, f'Serving signature key "{key or DEFAULT_KEY}" not found.'
        )
    if servable.options.check_method_names and found.proto.method_name not in _METHODS:
        raise StatusError(
            Code.INTERNAL,
            f"Expected prediction signature method_name to be one of {{{', '.join(_METHODS)}}}. "
            f"Was: {found.proto.method_name}",
        )
    return found


def check_input_names(signature: Signature, aliases: Collection[str]) -> None:
    """Checks the inputs of a gRPC Predict, to be done before their tensors are parsed.

    Raises:
        StatusError: INVALID_ARGUMENT, if one is missing that has no default, or is unknown.
    """
    sent, wanted, defaults = set(aliases), signature.inputs, signature.defaults
    if len(sent) > len(wanted) or (len(sent) < len(wanted) and not defaults):
        raise _invalid(
            f"input size does not match signature: {len(sent)}!={len(wanted)} "
            f"len({{{_joined(sent)}}}) != len({{{_joined(wanted)}}}). "
            f"Sent extra: {{{_joined(sent - set(wanted))}}}. "
            f"Missing but required: {{{_joined(set(wanted) - sent)}}}."
        )
    for alias, name in wanted.items():
        if alias in sent:
            continue
        if alias not in defaults:
            raise _invalid(
                f"Signature input alias: {alias}(feed name: {name}) not found in request and no "
                "default value provided. Inputs expected to be in the request "
                f"{{{_joined(sent)}}}, or default input alias set: {_joined(defaults)}"
            )
        if defaults[alias] is None:
            raise _invalid(f"tensor parsing error: {alias}")
    used = sent & set(wanted)
    if used != sent:
        raise _invalid(
            f"Inputs contains invalid name. Used request inputs: {_joined(used)}, request input: "
            f"{_joined(sent)}"
        )


def predict(
    servable: Servable,
    signature_key: str,
    inputs: Mapping[str, np.ndarray],
    output_filter: Iterable[str] = (),
    deadline: float | None = None,
    gathering: Gathering | None = None,
) -> Answer[dict[str, np.ndarray]]:
    """Runs one signature, as PredictionService.Predict does.

    The shapes that the signature declares are not checked; what is missing is filled from its
    defaults (a REST front end, where defaults do not apply, checks for missing inputs before).

    Args:
        servable: The model.
        signature_key: Key of the signature; "" for `serving_default`.
        inputs: Alias -> value.
        output_filter: Aliases of the wanted outputs; none for all.
        deadline: `time.monotonic()` seconds after which to give up.
        gathering: Of the event loop that calls, if it is one.

    Returns:
        What will be alias -> value, in the order of `output_filter`, else by alias.

    Raises:
        StatusError: at once, if the request is wrong or a queue is full. The answer's own errors
            are StatusErrors too.
    """
    signature = find_signature(servable, signature_key)
    if inputs.keys() != signature.inputs.keys():
        check_input_names(signature, inputs.keys())
    feeds = {
        name: inputs[alias] if alias in inputs else signature.defaults[alias]
        for alias, name in signature.inputs.items()
    }
    aliases = _wanted_outputs(signature, list(output_filter))
    started = time.monotonic()

    def answer(values: Values) -> dict[str, np.ndarray]:
        servable.observer.ran(servable.name, "Predict", time.monotonic() - started)
        return dict(zip(aliases, values, strict=True))

    names = [signature.outputs[alias] for alias in aliases]
    return servable.submit(feeds, names, deadline, answer, gathering)  # type: ignore[arg-type]


def _wanted_outputs(signature: Signature, output_filter: list[str]) -> list[str]:
    if not output_filter:
        return list(signature.outputs)
    seen = set()
    for alias in output_filter:
        if alias not in signature.outputs:
            raise _invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in "
                f"the set {{{_joined(signature.outputs)}}}."
            )
        if alias in seen:
            raise _invalid(f"duplicate output tensor alias: {alias}")
        seen.add(alias)
    return output_filter


def _joined(names: Iterable[str]) -> str:
    return ",".join(sorted(names))


def _invalid(message: str) -> StatusError:
    return StatusError(Code.INVALID_ARGUMENT, message)
