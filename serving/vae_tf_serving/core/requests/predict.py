"""Predict: checks the inputs against a signature and runs it."""

import time
from collections.abc import Collection, Iterable, Mapping

import numpy as np

from vae_tf_serving.core.batching.event_loop_collector import EventLoopCollector
from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.batching.task import Values
from vae_tf_serving.core.execution.servable import Servable
from vae_tf_serving.core.execution.signature import DEFAULT_KEY, Signature
from vae_tf_serving.status import Code, StatusError, invalid_argument

_METHODS = tuple(f"tensorflow/serving/{name}" for name in ("predict", "classify", "regress"))


def find_signature(servable: Servable, key: str) -> Signature:
    """Returns the signature that Predict runs; the key "" means `serving_default`.

    Raises:
        StatusError: FAILED_PRECONDITION: no such signature; INTERNAL: method names are checked, and
            Predict does not run signatures of its method name.
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
    """Checks the names of the inputs of a gRPC Predict, before their tensors are parsed.

    Raises:
        StatusError: INVALID_ARGUMENT: an unknown input, or a missing one without a default.
    """
    sent, wanted, defaults = set(aliases), signature.inputs, signature.defaults
    if len(sent) > len(wanted) or (len(sent) < len(wanted) and not defaults):
        raise invalid_argument(
            f"input size does not match signature: {len(sent)}!={len(wanted)} "
            f"len({{{_joined(sent)}}}) != len({{{_joined(wanted)}}}). "
            f"Sent extra: {{{_joined(sent - set(wanted))}}}. "
            f"Missing but required: {{{_joined(set(wanted) - sent)}}}."
        )
    for alias, name in wanted.items():
        if alias in sent:
            continue
        if alias not in defaults:
            raise invalid_argument(
                f"Signature input alias: {alias}(feed name: {name}) not found in request and no "
                "default value provided. Inputs expected to be in the request "
                f"{{{_joined(sent)}}}, or default input alias set: {_joined(defaults)}"
            )
        if defaults[alias] is None:
            raise invalid_argument(f"tensor parsing error: {alias}")
    used = sent & set(wanted)
    if used != sent:
        raise invalid_argument(
            f"Inputs contains invalid name. Used request inputs: {_joined(used)}, request input: "
            f"{_joined(sent)}"
        )


def predict(
    servable: Servable,
    signature_key: str,
    inputs: Mapping[str, np.ndarray],
    output_filter: Iterable[str] = (),
    deadline: float | None = None,
    collector: EventLoopCollector | None = None,
) -> ResultFuture[dict[str, np.ndarray]]:
    """Runs one signature, as PredictionService.Predict does.

    Shapes are not compared with those of the signature. Missing inputs get their default values; the
    REST front end, which has no defaults, checks for missing inputs before.

    Args:
        servable: The model.
        signature_key: Key of the signature; "" for `serving_default`.
        inputs: Alias -> value.
        output_filter: Aliases of the outputs to compute; empty for all.
        deadline: `time.monotonic()` seconds; None for no limit.
        collector: That of the calling event loop, if there is one.

    Returns:
        Alias -> value, in the order of `output_filter`; without one, sorted by alias.

    Raises:
        StatusError: The request is invalid, or a queue is full. The future may fail with a
            StatusError too.
    """
    signature = find_signature(servable, signature_key)
    if inputs.keys() != signature.inputs.keys():
        check_input_names(signature, inputs.keys())
    feeds = {
        name: inputs[alias] if alias in inputs else signature.defaults[alias]
        for alias, name in signature.inputs.items()
    }
    aliases = _output_aliases(signature, list(output_filter))
    started = time.monotonic()

    def finish(values: Values) -> dict[str, np.ndarray]:
        servable.observer.ran(servable.name, "Predict", time.monotonic() - started)
        return dict(zip(aliases, values, strict=True))

    names = [signature.outputs[alias] for alias in aliases]
    return servable.submit(feeds, names, deadline, finish, collector)  # type: ignore[arg-type]


def _output_aliases(signature: Signature, output_filter: list[str]) -> list[str]:
    if not output_filter:
        return list(signature.outputs)
    seen = set()
    for alias in output_filter:
        if alias not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in "
                f"the set {{{_joined(signature.outputs)}}}."
            )
        if alias in seen:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
        seen.add(alias)
    return output_filter


def _joined(names: Iterable[str]) -> str:
    return ",".join(sorted(names))
