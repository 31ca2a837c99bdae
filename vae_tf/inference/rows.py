"""Functions applied to each row of a batch by itself."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf


def by_row(function: Callable[[dict[str, Any]], Any], rows: Mapping[str, Any], spec: Any) -> Any:
    """What `function` gives for each row, stacked: row i depends on row i of the input alone.

    Args:
        function: Of the parts of one row, `[1, ...]` each.
        rows: Name -> `[B, ...]`, or a structure of such. Those that are None are left out.
        spec: Specs of what the function gives for one row.
    """
    given = {name: part for name, part in rows.items() if part is not None}
    return tf.map_fn(
        lambda row: function(tf.nest.map_structure(lambda part: part[tf.newaxis], row)),
        given,
        fn_output_signature=spec,
    )
