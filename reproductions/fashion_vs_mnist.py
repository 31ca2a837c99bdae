"""A model of Fashion-MNIST, shown MNIST: does its likelihood notice, and do the corrections?

    python reproductions/fashion_vs_mnist.py FASHION MNIST [--json FILE]

FASHION and MNIST are folders of IDX files, plain or .gz (Debian's dataset-fashion-mnist has the first).
A model with an 8-bit likelihood is trained on Fashion-MNIST's 60 000 training images, and a background
model like it on the same images perturbed. Then test images of both sets are scored; in-distribution
(Fashion-MNIST) is the positive class, so an AUROC below 0.5 says that MNIST looks likelier.

Published: plain likelihood fails on this pair (Nalisnick et al., 2019); corrected by Ren et al. (2019)
and Serrà et al. (2020), with autoregressive models and flows, so no figure of theirs is for this model.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from vae_tf import presets
from vae_tf.data import head, load
from vae_tf.evaluation.ood.background_model import train_background
from vae_tf.evaluation.ood.scores import OutOfDistribution, out_of_distribution
from vae_tf.runs.progress import EpochLines

LABELS = {
    "log_prob": "log p(x)",
    "elbo": "ELBO",
    "likelihood_ratio": "likelihood ratio (Ren et al., 2019)",
    "input_complexity": "input complexity (Serrà et al., 2020)",
}


def table(result: OutOfDistribution) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| score | AUROC | AUPRC | FPR at 95 % TPR | mean in | mean out |",
        "|---|" + "---:|" * 5,
    ]
    for name, found in result.detections.items():
        unit = "bits" if name == "input_complexity" else "nats"
        lines.append(
            f"| {LABELS[name]} | {found.auroc:.3f} | {found.auprc:.3f} | {found.fpr_at_95_tpr:.3f} | "
            f"{np.mean(found.scores_in):.1f} {unit} | {np.mean(found.scores_out):.1f} {unit} |"
        )
    return "\n".join(lines)


def parsed() -> argparse.Namespace:
    """The command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fashion", type=Path, help="folder of Fashion-MNIST's IDX files")
    parser.add_argument("mnist", type=Path, help="folder of MNIST's IDX files")
    parser.add_argument("--preset", default="mlp", choices=presets.names())
    parser.add_argument("--latent-dim", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=20, help="of each of the two models")
    parser.add_argument("--mutation-rate", type=float, default=0.2)
    parser.add_argument("--examples", type=int, default=2000, help="test images of each set")
    parser.add_argument("--samples", type=int, default=100, help="K of log p(x)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, help="where the prepared data are kept")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    return parser.parse_args()


def main() -> None:
    """Trains both models, scores both test sets, prints a table and JSON."""
    arguments = parsed()
    start = time.perf_counter()
    fashion = load(arguments.fashion, seed=arguments.seed, data_dir=arguments.data_dir)
    mnist = load(arguments.mnist, data_dir=arguments.data_dir)
    x_train = head(fashion.train, fashion.num_train)[0]
    x_in, x_out = (head(data.test, arguments.examples)[0] for data in (fashion, mnist))
    options: dict[str, Any] = {"hidden": (500, 500), "activation": "relu"}
    vae = presets.create(
        arguments.preset,
        fashion.event_shape,
        arguments.latent_dim,
        likelihood="discretized_logistic",
        seed=arguments.seed,
        **(options if arguments.preset == "mlp" else {}),
    )
    vae.compile(keras.optimizers.Adam(1e-3))
    lines = [EpochLines(arguments.epochs)]
    vae.fit(fashion.train, epochs=arguments.epochs, verbose=0, callbacks=lines)
    background = train_background(
        vae,
        x_train,
        arguments.mutation_rate,
        epochs=arguments.epochs,
        seed=arguments.seed,
        callbacks=lines,
    )
    trained = time.perf_counter() - start
    result = out_of_distribution(
        vae, x_in, x_out, background, num_samples=arguments.samples, seed=arguments.seed
    )
    bits = -np.mean(result.detections["log_prob"].scores_in) / np.log(2) / x_in[0].size
    settings = {key: str(v) if isinstance(v, Path) else v for key, v in vars(arguments).items()}
    figures = {
        **result.as_dict(),
        "bits_per_dimension_in": float(bits),
        "training_seconds": trained,
        "scoring_seconds": time.perf_counter() - start - trained,
        "settings": {**settings, "likelihood": "discretized_logistic"},
    }
    print(table(result))
    print(
        f"\n{arguments.preset}, {arguments.latent_dim} latents, 8-bit likelihood, "
        f"{arguments.epochs} epochs; "
        f"{len(x_in)} and {len(x_out)} test images, K = {arguments.samples}; {result.compressor}; "
        f"Fashion-MNIST {bits:.3f} bits/dim; training {trained:.0f} s, scoring "
        f"{figures['scoring_seconds']:.0f} s.\n"
    )
    print(json.dumps(figures, indent=2))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
