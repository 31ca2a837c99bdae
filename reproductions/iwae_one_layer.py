"""The one-layer network of the IWAE paper on MNIST: L_5000 and active units beside the published ones.

    python reproductions/iwae_one_layer.py MNIST [--k 5] [--epochs 110] [--out FOLDER]

MNIST is a folder of IDX files (train-images-idx3-ubyte, ...). The network is 784-200-200-z50-200-200-784
with tanh, a normal q(z|x) and a Bernoulli p(x|z): Burda et al. (2016), Importance Weighted Autoencoders,
section 5 and table 1. Pixels are drawn from Bernoulli(intensity), anew in every epoch for training and
once for the 10,000 test images.

The paper trains for 3280 epochs of batches of 20 with Adam (eps 1e-4) and a step size that falls from
1e-3 to 1e-4 in 8 stages. The defaults here fit half an hour on 2 cores: fewer epochs, and a step size
that falls along half a cosine. What was done is written beside the figures, as
`iwae_one_layer_k<k>.json` and `.md`.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import vae_tf
from vae_tf import objectives, presets
from vae_tf.data import Data, head, load
from vae_tf.evaluation import Evaluation, evaluate
from vae_tf.runs.progress import EpochLines

# k -> (NLL, active units), by objective: Burda et al. (2016), table 1, 1 stochastic layer.
PUBLISHED = {
    "elbo": {1: (86.76, 19), 5: (86.47, 20), 50: (86.35, 20)},
    "iwae": {1: (86.76, 19), 5: (85.54, 22), 50: (84.78, 25)},
}


def parsed() -> argparse.Namespace:
    """The command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=Path, help="folder of MNIST's IDX files")
    parser.add_argument("--objective", choices=sorted(PUBLISHED), default="iwae")
    parser.add_argument("--k", type=int, default=5, help="draws of z an example in training")
    parser.add_argument("--epochs", type=int, default=110)
    parser.add_argument("--batch-size", type=int, default=25)
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="at the start")
    parser.add_argument("--final-rate", type=float, default=2e-5, help="at the end")
    parser.add_argument("--samples", type=int, default=5000, help="K of the reported L_K")
    parser.add_argument("--test-examples", type=int, default=10_000, help="of the test split")
    parser.add_argument("--ais-examples", type=int, default=0, help="also AIS on the first ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, help="where the prepared data are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="results' folder")
    return parser.parse_args()


def build(data: Data, arguments: argparse.Namespace) -> vae_tf.VAE:
    """The network, compiled, with the decoder's biases at the pixels' log odds."""
    vae = presets.mlp(data.event_shape, 50, hidden=(200, 200), seed=arguments.seed)
    # As the authors' program starts: the mean image need not be learned.
    mean = np.clip(head(data.train, data.num_train)[0].mean(axis=0).ravel(), 1e-3, 1 - 1e-3)
    vae.decoder.layers[-1].bias.assign(np.log(mean) - np.log1p(-mean))
    steps = arguments.epochs * -(-data.num_train // arguments.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(
        arguments.learning_rate, steps, alpha=arguments.final_rate / arguments.learning_rate
    )
    objective: objectives.Objective = (
        objectives.IWAE(arguments.k)
        if arguments.objective == "iwae"
        else objectives.ELBO(samples=arguments.k)
    )
    vae.compile(keras.optimizers.Adam(rate), objective)
    return vae


def protocol(arguments: argparse.Namespace, data: Data, seconds: float) -> str:
    """What was done, in a sentence or two."""
    return (
        f"{arguments.objective.upper()} with k = {arguments.k}, {arguments.epochs} epochs of "
        f"{data.num_train} images in batches of {arguments.batch_size}, Adam with a step size from "
        f"{arguments.learning_rate:g} to {arguments.final_rate:g} along half a cosine, decoder "
        f"biases started at the pixels' log odds, seed {arguments.seed}; pixels binarised anew in "
        f"every epoch, the {arguments.test_examples} test images once; trained in "
        f"{seconds / 60:.1f} minutes on {os.cpu_count()} CPU cores. NLL is -L_{arguments.samples}, "
        "a unit is active if the variance over the test images of its posterior mean is above 0.01."
    )


def table(arguments: argparse.Namespace, result: Evaluation) -> str:
    """Ours beside the published figures, in Markdown."""
    units = result.active_units.count
    rows = [
        "| MNIST, 784-200-200-z50 | NLL, nats | active units |",
        "|---|---:|---:|",
        f"| here: {arguments.objective.upper()}, k = {arguments.k}, {arguments.epochs} epochs "
        f"| {-result.log_prob.mean:.2f} ± {result.log_prob.standard_error:.2f} | {units} |",
    ]
    for objective, name in (("elbo", "VAE"), ("iwae", "IWAE")):
        rows += [
            f"| Burda et al. (2016): {name}, k = {k}, 3280 epochs | {nll:.2f} | {active} |"
            for k, (nll, active) in PUBLISHED[objective].items()
        ]
    return "\n".join(rows)


def report_progress(what: str, done: int, total: int) -> None:
    """One line for each part of the evaluation, on the terminal."""
    print(f"\r{what}: {done}/{total}", end="\n" if done == total else "", file=sys.stderr)


def main() -> None:
    """Trains, evaluates, prints the table and writes both files."""
    arguments = parsed()
    data = load(
        arguments.mnist,
        arguments.batch_size,
        binarize="dynamic",
        seed=arguments.seed,
        data_dir=arguments.data_dir,
    )
    vae = build(data, arguments)
    start = time.perf_counter()
    every = max(1, arguments.epochs // 20)
    lines = EpochLines(arguments.epochs, every)
    vae.fit(data.train, epochs=arguments.epochs, verbose=0, callbacks=[lines])
    trained = time.perf_counter() - start

    x, y = head(data.test, arguments.test_examples)
    result = evaluate(
        vae,
        x,
        y,
        num_samples=arguments.samples,
        ais_examples=arguments.ais_examples,
        progress=report_progress,
    )
    evaluated = time.perf_counter() - start - trained
    text = f"{table(arguments, result)}\n\n{protocol(arguments, data, trained)}\n"
    print(f"{result}\n\n{text}")

    settings = {key: str(v) if isinstance(v, Path) else v for key, v in vars(arguments).items()}
    for place in ("mnist", "data_dir", "out"):
        del settings[place]
    figures: dict[str, Any] = {
        "nll": -result.log_prob.mean,
        "active_units": result.active_units.count,
        "published": PUBLISHED,
        "protocol": protocol(arguments, data, trained),
        "settings": settings,
        "training_seconds": trained,
        "evaluation_seconds": evaluated,
        "evaluation": result.as_dict(),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    stem = arguments.out / f"iwae_one_layer_k{arguments.k}"
    stem.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")
    stem.with_suffix(".md").write_text(text)
    vae.save(stem.with_suffix(".keras"))


if __name__ == "__main__":
    main()
