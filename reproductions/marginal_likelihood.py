"""Three estimators of log p(x) on one trained model: L_5000, AIS, and the AEVB paper's from HMC.

    python reproductions/marginal_likelihood.py MNIST [--epochs 20] [--examples 100] [--out FOLDER]

MNIST is a folder of IDX files. The model is that of Kingma and Welling (2014), section 5, "Marginal
likelihood": 100 hidden units with tanh and 3 latent variables, because the estimator of their
appendix D holds for few latent dimensions only. L_K draws from q(z|x), AIS anneals from the prior, and
the third draws from p(z|x).
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from vae_tf import evaluation, presets
from vae_tf.data import head, load
from vae_tf.runs.progress import EpochLines


def parsed() -> argparse.Namespace:
    """The command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=Path, help="folder of MNIST's IDX files")
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--latent-dim", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--examples", type=int, default=100, help="test images")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, help="where the prepared data are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="results' folder")
    return parser.parse_args()


def report_progress(what: str, done: int, total: int) -> None:
    """One line for each estimator, on the terminal."""
    print(f"\r{what}: {done}/{total}", end="\n" if done == total else "", file=sys.stderr)


def main() -> None:
    """Trains, estimates, prints the table and writes both files."""
    arguments = parsed()
    data = load(
        arguments.mnist, 128, binarize="dynamic", seed=arguments.seed, data_dir=arguments.data_dir
    )
    vae = presets.mlp(
        data.event_shape, arguments.latent_dim, hidden=arguments.hidden, seed=arguments.seed
    )
    vae.compile(keras.optimizers.Adam(1e-3))
    lines = EpochLines(arguments.epochs)
    vae.fit(data.train, epochs=arguments.epochs, verbose=0, callbacks=[lines])

    x, _ = head(data.test, arguments.examples)
    chosen = {"seed": arguments.seed, "progress": report_progress}
    found, seconds = {}, {}
    for name, estimator in {
        "L_5000": evaluation.importance_weighted_bound,
        "AIS": evaluation.annealed_importance_sampling,
        "HMC": evaluation.hmc_marginal_likelihood,
    }.items():
        start = time.perf_counter()
        found[name] = estimator(vae, x, **chosen)
        seconds[name] = time.perf_counter() - start

    bound = found["L_5000"].mean
    rows = [
        "| estimator | log p(x), nats | error of its draws | less L_5000 | seconds |",
        "|---|" + "---:|" * 4,
    ]
    rows += [
        f"| {name} ({result.samples} weights) | {result.mean:.3f} | {result.monte_carlo_error:.3f} "
        f"| {result.mean - bound:+.3f} | {seconds[name]:.0f} |"
        for name, result in found.items()
    ]
    protocol = (
        f"MNIST, dynamic binarisation; 784-{arguments.hidden}-z{arguments.latent_dim}-"
        f"{arguments.hidden}-784 with tanh, {arguments.epochs} epochs, Adam 0.001, batch 128, seed "
        f"{arguments.seed}; the first {len(x)} test images."
    )
    text = "\n".join([*rows, "", protocol, ""])
    print(text)
    figures = {
        "protocol": protocol,
        "estimates": {name: result.as_dict() for name, result in found.items()},
        "less_L_5000": {name: result.mean - bound for name, result in found.items()},
        "seconds": seconds,
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    stem = arguments.out / "marginal_likelihood"
    stem.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")
    stem.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
