"""Three estimators of log p(x) on trained models: L_5000, AIS, and the AEVB paper's from HMC.

    python reproductions/marginal_likelihood.py FOLDER [--epochs 20] [--examples 50] [--out FOLDER]

FOLDER has the IDX files of MNIST or Fashion-MNIST. The network is that of Kingma and Welling (2014),
section 5, "Marginal likelihood": 100 hidden units with tanh and 3 latent variables, because the
estimator of their appendix D holds for few latent dimensions only. L_K draws from q(z|x), AIS anneals
from the prior, and the third draws from p(z|x).

L_K owes its reach to q(z|x). So the network is trained twice: by the ELBO, which lets q(z|x) be narrower
than p(z|x) and miss parts of it, and by the IWAE bound, which does not.
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

from vae_tf import VAE, evaluation, presets
from vae_tf.data import Data, head, load
from vae_tf.evaluation.log_prob.log_prob_estimate import LogProbEstimate
from vae_tf.objectives import ELBO, IWAE, Objective
from vae_tf.runs.progress import EpochLines

OBJECTIVES: dict[str, Objective] = {"ELBO": ELBO(), "IWAE, K = 10": IWAE(10)}
ESTIMATORS = {
    "L_5000": evaluation.importance_weighted_bound,
    "AIS": evaluation.annealed_importance_sampling,
    "HMC": evaluation.hmc_marginal_likelihood,
}


def parsed() -> argparse.Namespace:
    """The command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of IDX files")
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--latent-dim", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--examples", type=int, default=50, help="test images")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, help="where the prepared data are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="results' folder")
    return parser.parse_args()


def report_progress(what: str, done: int, total: int) -> None:
    """One line for each estimator, on the terminal."""
    print(f"\r{what}: {done}/{total}", end="\n" if done == total else "", file=sys.stderr)


def trained(objective: Objective, data: Data, arguments: argparse.Namespace) -> VAE:
    """The network after its epochs."""
    vae = presets.mlp(
        data.event_shape, arguments.latent_dim, hidden=arguments.hidden, seed=arguments.seed
    )
    vae.compile(keras.optimizers.Adam(1e-3), objective)
    lines = EpochLines(arguments.epochs, every=5)
    vae.fit(data.train, epochs=arguments.epochs, verbose=0, callbacks=[lines])
    return vae


def row(trained_by: str, name: str, found: LogProbEstimate, bound: LogProbEstimate) -> str:
    """A line of the table; `bound` is L_5000."""
    gaps, size = np.abs(found.values - bound.values), found.effective_sample_sizes
    return (
        f"| {trained_by} | {name} | {found.mean:.3f} | {found.monte_carlo_error:.3f} | "
        f"{found.mean - bound.mean:+.3f} | {np.mean(gaps < 0.5):.0%} | "
        f"{np.median(size):.1f} of {found.samples} | {found.unreliable.sum()} |"
    )


def main() -> None:
    """Trains, estimates, prints the table and writes both files."""
    arguments = parsed()
    data = load(
        arguments.data, 128, binarize="dynamic", seed=arguments.seed, data_dir=arguments.data_dir
    )
    x, _ = head(data.test, arguments.examples)
    rows = [
        "| trained by | estimator | log p(x), nats | error of its draws | less L_5000 "
        "| examples within 0.5 | effective sample size | unreliable |",
        "|---|---|" + "---:|" * 6,
    ]
    figures: dict[str, Any] = {}
    for trained_by, objective in OBJECTIVES.items():
        vae = trained(objective, data, arguments)
        found, figures[trained_by] = {}, {}
        for name, estimator in ESTIMATORS.items():
            start = time.perf_counter()
            found[name] = estimator(vae, x, seed=arguments.seed, progress=report_progress)
            rows.append(row(trained_by, name, found[name], found["L_5000"]))
            figures[trained_by][name] = {
                **found[name].as_dict(),
                "less_L_5000": found[name].mean - found["L_5000"].mean,
                "seconds": time.perf_counter() - start,
            }
    protocol = (
        f"{arguments.data.name}, dynamic binarisation; 784-{arguments.hidden}-z{arguments.latent_dim}-"
        f"{arguments.hidden}-784 with tanh, {arguments.epochs} epochs, Adam 0.001, batch 128, seed "
        f"{arguments.seed}; the first {len(x)} test images. Effective sample size: median."
    )
    text = "\n".join([*rows, "", protocol, ""])
    print(text)
    arguments.out.mkdir(parents=True, exist_ok=True)
    stem = arguments.out / "marginal_likelihood"
    stem.with_suffix(".json").write_text(
        json.dumps({"protocol": protocol, "estimates": figures}, indent=2) + "\n"
    )
    stem.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
