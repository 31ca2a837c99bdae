"""Converts the body of a classify or regress request to `tf.train.Example`s."""

from typing import Any

from tensorflow.core.example import example_pb2, feature_pb2
from tensorflow_serving.apis import input_pb2

from vae_tf_serving.rest.json_echo import echo, type_name
from vae_tf_serving.rest.json_in import Document
from vae_tf_serving.rest.json_leaves import decode_base64, is_base64
from vae_tf_serving.rest.time_limit import TimeLimit
from vae_tf_serving.status import invalid_argument

_KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


def examples(document: Document, limit: TimeLimit | None = None) -> input_pb2.Input:
    """Converts the list under `examples`, and `context` if that key is present.

    Numbers with a fraction or an exponent make a float feature, integers and bools an int64 feature,
    strings and base64 objects a bytes feature.

    Raises:
        StatusError: INVALID_ARGUMENT, with upstream's message.
    """
    limit = limit or TimeLimit()
    members = document.members
    result = input_pb2.Input()
    has_context = "context" in members
    if has_context:
        context = _example(members["context"], limit)
        result.example_list_with_context.context.CopyFrom(context)
    found = f"JSON Value: {echo(members)} "
    if "examples" not in members:
        raise invalid_argument(
            f"{found}When method is classify, key 'examples' is expected and was not found"
        )
    values = members["examples"]
    if not isinstance(values, list):
        raise invalid_argument(f"{found}Expecting 'examples' value to be an list/array")
    if not values:
        raise invalid_argument(f"{found}'examples' value is an empty array")
    listed = result.example_list_with_context if has_context else result.example_list
    listed.examples.extend(_example(value, limit) for value in values)
    return result


def _example(value: Any, limit: TimeLimit) -> example_pb2.Example:
    if not isinstance(value, dict):
        raise invalid_argument(f"Example must be JSON object but got JSON {type_name(value)}")
    example = example_pb2.Example()
    limit.step()
    for key, content in value.items():
        name = _text(key)
        feature = example.features.feature[name]
        for element in content if isinstance(content, list) else [content]:
            limit.step()
            _append(feature, name, element)
    return example


def _append(feature: feature_pb2.Feature, name: str, value: Any) -> None:
    converted: Any
    if isinstance(value, str):
        kind, converted = "bytes_list", value.encode("utf-8", "surrogateescape")
    elif is_base64(value):
        kind, converted = "bytes_list", decode_base64(value)
    elif isinstance(value, float):
        kind, converted = "float_list", value
    elif isinstance(value, int):
        kind, converted = "int64_list", int(value)
    else:
        raise invalid_argument(
            f"Feature: {name} has element with unexpected JSON type: {type_name(value)}"
        )
    present = feature.WhichOneof("kind")
    if present is not None and present != kind:
        raise invalid_argument(
            f"Unexpected element type in feature: {name} expecting type: {_KINDS[present]}"
        )
    if kind == "int64_list" and converted >= 2**63:
        raise invalid_argument(f"Feature: {name} has uint64 element. Only int64 is supported.")
    getattr(feature, kind).value.append(converted)


def _text(key: str) -> str:
    """Replaces invalid UTF-8, which a message cannot hold in the name of a feature."""
    return key.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
