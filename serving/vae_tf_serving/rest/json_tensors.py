"""Converts the values of a predict request to arrays of the dtypes of a signature."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vae_tf_serving.rest.json_echo import echo
from vae_tf_serving.rest.json_in import Document
from vae_tf_serving.rest.json_leaves import FLOATS, INTEGERS, is_base64, leaf, to_array
from vae_tf_serving.rest.time_limit import TimeLimit
from vae_tf_serving.status import Code, StatusError, invalid_argument

_MAX_RANK = 64  # of a NumPy array


def arrays(
    document: Document, input_types: Mapping[str, int], limit: TimeLimit | None = None
) -> tuple[dict[str, np.ndarray], bool]:
    """Converts the inputs of a predict request.

    Args:
        document: Has either `instances` (the row format) or `inputs` (the columnar format).
        input_types: Alias of each input of the signature -> number of its DataType. Shapes are not
            checked, as upstream: only an operation can reject one.
        limit: Deadline of the conversion value by value.

    Returns:
        The arrays, and whether the request has the row format, which the response then has too.

    Raises:
        StatusError: INVALID_ARGUMENT, with upstream's message; UNIMPLEMENTED: JSON cannot represent
            the DataType; DEADLINE_EXCEEDED.
    """
    limit = limit or TimeLimit()
    fast = not (document.may_have_bools or document.may_have_strings)
    members = document.members
    rows, value = members.get("instances", _ABSENT), members.get("inputs", _ABSENT)
    if rows is _ABSENT:
        if value is _ABSENT:
            raise invalid_argument("Missing 'inputs' or 'instances' key")
        return _columns(value, input_types, fast, limit), False
    if value is not _ABSENT:
        raise invalid_argument(
            f"JSON Value: {echo(members)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if not isinstance(rows, list):
        raise invalid_argument(
            f"JSON Value: {echo(members)} Expecting 'instances' to be an list/array"
        )
    if not rows:
        raise invalid_argument(f"JSON Value: {echo(members)} No values in 'instances' array")
    found = _fast_rows(rows, input_types) if fast else None
    return found or _rows(rows, input_types, limit), True


_ABSENT = object()


def _columns(
    value: Any, wanted: Mapping[str, int], fast: bool, limit: TimeLimit
) -> dict[str, np.ndarray]:
    if not isinstance(value, dict) or is_base64(value):
        if len(wanted) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        value = {next(iter(wanted)): value}
    inputs = {}
    for name, dtype in wanted.items():
        if name not in value:
            raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
        array = _fast(value[name], dtype) if fast else None
        if array is None:
            array = to_array(*_flatten(value[name], dtype, limit), dtype)
        inputs[name] = array
    return inputs


def _fast_rows(rows: list, wanted: Mapping[str, int]) -> dict[str, np.ndarray] | None:
    """Converts rows of numbers; returns None if they must be converted value by value."""
    inputs = {}
    if not isinstance(rows[0], dict):
        if len(wanted) > 1:
            return None
        values = {next(iter(wanted)): rows}
    else:
        try:
            values = {name: [row[name] for row in rows] for name in wanted}
        except (KeyError, TypeError):
            return None
        if any(len(row) != len(wanted) for row in rows):
            return None
    for name, dtype in wanted.items():
        array = _fast(values[name], dtype)
        if array is None:
            return None
        inputs[name] = array
    return inputs


def _fast(value: Any, dtype: int) -> np.ndarray | None:
    """Converts `value` with NumPy; returns None if the dtype shows that a value may be invalid.

    It must have no bools, which NumPy silently converts to numbers, and no strings: NumPy would
    allocate the length of the longest one for every value.
    """
    try:
        array = np.asarray(value)
    except ValueError:  # ragged, or more than 64 axes
        return None
    if array.size == 0:
        return None
    if dtype in FLOATS:
        if array.dtype.kind not in "fiu":
            return None
        with np.errstate(over="ignore"):
            return array.astype(FLOATS[dtype], copy=False)
    if dtype in INTEGERS and array.dtype.kind in "iu":
        kind, (low, high) = INTEGERS[dtype]
        if int(array.min()) < low or int(array.max()) > high:
            return None
        return array.astype(kind, copy=False)
    return None


def _rows(rows: list, wanted: Mapping[str, int], limit: TimeLimit) -> dict[str, np.ndarray]:
    """Converts rows value by value, and reports the first invalid one."""
    as_objects = _is_object(rows[0])
    if not isinstance(rows[0], dict) and len(wanted) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    flat: dict[str, list] = {name: [] for name in wanted}
    shapes: dict[str, tuple[int, ...]] = {}
    lone = next(iter(wanted))
    for number, row in enumerate(rows):
        where = f"Failed to process element: {number}"
        if _is_object(row) != as_objects:
            raise invalid_argument(
                f"Expecting object but got list at item {number} of input list"
                if as_objects
                else f"Expecting value/list but got object at item {number} of input list"
            )
        for name, value in row.items() if as_objects else ((lone, row),):
            try:
                _add(name, value, wanted, flat, shapes, limit)
            except StatusError as error:
                if error.code == Code.DEADLINE_EXCEEDED:
                    raise
                key = f" key: {name}" if as_objects else ""
                raise invalid_argument(
                    f"{where}{key} of 'instances' list. Error: {error}"
                ) from None
        if as_objects and len(row) != len(wanted):
            raise invalid_argument(
                f"{where} of 'instances' list. JSON object: {echo(row)} "
                f"keys must be equal to: {','.join(sorted(wanted))}"
            )
    return {
        name: to_array(flat[name], (len(rows), *shapes[name]), dtype)
        for name, dtype in wanted.items()
    }


def _add(
    name: str,
    value: Any,
    wanted: Mapping[str, int],
    flat: dict[str, list],
    shapes: dict[str, tuple[int, ...]],
    limit: TimeLimit,
) -> None:
    if name not in wanted:
        raise invalid_argument(f"JSON object: does not have named input: {name}")
    values, shape = _flatten(value, wanted[name], limit)
    expected = shapes.setdefault(name, shape)
    if expected != shape:
        size = int(np.prod(expected))
        if size != len(values):
            raise invalid_argument(f"Expecting tensor size: {size} but got: {len(values)}")
        raise invalid_argument(f"Expecting shape {_brackets(expected)} but got: {_brackets(shape)}")
    flat[name] += values


def _flatten(value: Any, dtype: int, limit: TimeLimit) -> tuple[list, tuple[int, ...]]:
    """Returns the leaves in order, and the shape according to the first element at each level."""
    shape: list[int] = []
    inner = value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
        if len(shape) >= _MAX_RANK:
            raise invalid_argument(f"Encountered list at unexpected level: {_MAX_RANK}")
    values: list = []
    _fill(value, 0, shape, dtype, values, limit)
    return values, tuple(shape)


def _fill(
    value: Any, level: int, shape: list[int], dtype: int, values: list, limit: TimeLimit
) -> None:
    """Appends the leaves of `value` to `values`; recurses as deep as the rank."""
    limit.step()
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid_argument(
                f"JSON Value: {echo(value)} found at incorrect level: {level + 1}"
                f" in the JSON DOM. Expected at level: {len(shape)}"
            )
        values.append(leaf(value, dtype))
        return
    if level >= len(shape):
        raise invalid_argument(
            f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(value)} at level: {level}"
            f" expected size: {shape[level]}"
        )
    for element in value:
        _fill(element, level + 1, shape, dtype, values, limit)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)


def _brackets(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
