"""Table of the parts of a model."""

import io
import math
from typing import Any

from rich.console import Console
from rich.table import Table


def describe_parts(model: Any) -> str:
    """A table of the parts of `model`, their shapes and their numbers of weights."""
    x, z = str(model.event_shape), str((model.latent_dim,))
    rows = [
        ("encoder", model.encoder, f"x {x} -> ({model.posterior.params_size},)"),
        ("posterior", model.posterior, f"({model.posterior.params_size},) -> q(z|x) {z}"),
        ("decoder", model.decoder, f"z {z} -> ({model.likelihood.params_size},)"),
        ("likelihood", model.likelihood, f"({model.likelihood.params_size},) -> p(x|z) {x}"),
        ("prior", model.prior, f"p(z) {z}"),
    ]
    table = Table("part", "layer", "shapes of one example", "weights", title=f"VAE {model.name!r}")
    table.columns[3].justify = "right"
    for name, layer, shapes in rows:
        table.add_row(name, type(layer).__name__, shapes, f"{_count(layer.trainable_weights):,}")
    text = io.StringIO()
    console = Console(file=text, width=100)
    console.print(table)
    console.print(f"Trainable weights: {_count(model.trainable_weights):,}")
    return text.getvalue()


def _count(weights: list[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)
