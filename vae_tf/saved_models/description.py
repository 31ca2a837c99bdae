"""The description of an exported model: `vae_tf.json` and a model card."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vae_tf.saved_models.exportable import Exportable
from vae_tf.saved_models.signatures import SignatureTable

JSON_NAME, CARD_NAME = "vae_tf.json", "model_card.md"
_PACKAGES = ("vae-tf", "tensorflow", "keras", "tensorflow-probability")


def describe(
    vae: Exportable, score_samples: int, precision: str, training: dict[str, Any] | None
) -> dict[str, Any]:
    """The facts of `vae_tf.json`, in JSON values.

    `row_wise` tells a server that it may put the rows of several requests into one batch.
    """
    low, high = vae.likelihood.support
    return {
        "format": 1,
        "row_wise": True,
        "name": vae.name,
        "event_shape": list(vae.event_shape),
        "latent_dim": vae.latent_dim,
        "value_range": [_finite(low), _finite(high)],
        **vae.parts,
        "weights": sum(int(weight.value.shape.num_elements()) for weight in vae.trainable_weights),
        "precision": precision,
        "score_samples": score_samples,
        "signatures": {
            name: signature.description
            for name, signature in SignatureTable(vae, score_samples).table().items()
        },
        "training": training,
        "versions": {name: version(name) for name in _PACKAGES},
    }


def write_description(facts: dict[str, Any], folder: Path) -> None:
    """Writes `vae_tf.json` and `model_card.md` into `folder`, the version's `assets.extra`."""
    (folder / JSON_NAME).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    (folder / CARD_NAME).write_text(model_card(facts), encoding="utf-8")


def model_card(facts: dict[str, Any]) -> str:
    """A page of Markdown from the facts of `describe`."""
    low, high = facts["value_range"]
    escaped = "\\|"
    lines = [
        f"# {facts['name']}",
        "",
        f"A variational auto-encoder: {facts['weights']:,} weights, stored in {facts['precision']}.",
        "",
        "| | |",
        "|---|---|",
        f"| x | {facts['event_shape']}, values in [{_text(low, '-∞')}, {_text(high, '∞')}] |",
        f"| z | [{facts['latent_dim']}] |",
        f"| p(x\\|z) | {facts['likelihood']} |",
        f"| q(z\\|x) | {facts['posterior']} |",
        f"| p(z) | {facts['prior']} |",
        *[f"| {name} | {number} |" for name, number in facts["versions"].items()],
        "",
        "## Signatures",
        "",
        "| signature | inputs → outputs |",
        "|---|---|",
        *[
            f"| `{name}` | {text.replace('|', escaped)} |"
            for name, text in facts["signatures"].items()
        ],
    ]
    training = facts["training"]
    if training:
        config, metrics = training["config"], training["metrics"]
        lines += ["", "## Training", "", f"{training['epoch']} epochs on `{config['dataset']}`,"]
        lines += [f"binarisation {config['binarize'] or 'none'}; figures in nats per example:", ""]
        lines += [f"- {name}: {value:.4g}" for name, value in sorted(metrics.items())]
    return "\n".join(lines) + "\n"


def _finite(bound: float) -> float | None:
    return bound if abs(bound) < float("inf") else None


def _text(bound: float | None, infinite: str) -> str:
    return infinite if bound is None else f"{bound:g}"
