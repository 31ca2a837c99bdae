"""Speed of `fit` of this checkout relative to another one, such as a worktree of an older commit.

`python benchmarks/versions.py --before PATH [--rounds 25] [--workloads dense conv iwae]`. Each checkout
trains in a process of its own; a round runs one epoch of each, in turn first, so that a machine whose
speed drifts slows both alike. Printed are ratios within a round, above 1 where this checkout is
faster: median [quartiles]. Batch 128, 28x28x1 random images; "dense" is 784-500-z20-500-784 with tanh,
"iwae" the same with IWAE(5), "conv" the preset with the layers of keras.io's example.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

BATCH, IMAGES = 128, 6400


def contender(pipe: Connection, root: str, workload: str) -> None:
    """Trains two epochs to warm up, then one for each message, answering with its seconds."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.path.insert(0, root)
    import keras
    import numpy as np

    import vae_tf

    assert vae_tf.__file__.startswith(root), vae_tf.__file__
    x = np.random.default_rng(0).integers(0, 256, size=(IMAGES, 28, 28, 1), dtype=np.uint8)
    splits = vae_tf.data.from_arrays(x, x[:BATCH], batch_size=BATCH)
    if workload == "conv":
        vae = vae_tf.presets.conv((28, 28, 1), latent_dim=2, hidden=16, full_size=True, seed=0)
    else:
        vae = vae_tf.presets.mlp((28, 28, 1), latent_dim=20, seed=0)
    objective = vae_tf.objectives.IWAE(5) if workload == "iwae" else None
    vae.compile(keras.optimizers.Adam(), objective)
    for _ in range(2):
        vae.fit(splits.train, epochs=1, verbose=0)
    pipe.send("ready")
    while pipe.recv() == "go":
        start = time.perf_counter()
        vae.fit(splits.train, epochs=1, verbose=0)
        pipe.send(time.perf_counter() - start)


def measure(roots: list[str], workload: str, rounds: int) -> list[list[float]]:
    """Seconds of an epoch of each checkout, one for each round."""
    spawn = multiprocessing.get_context("spawn")
    pipes = []
    for root in roots:
        here, there = spawn.Pipe()
        spawn.Process(target=contender, args=(there, root, workload), daemon=True).start()
        here.recv()  # one warms up at a time
        pipes.append(here)
    seconds: list[list[float]] = [[] for _ in roots]
    for number in range(rounds):
        for which in sorted(range(len(roots)), reverse=bool(number % 2)):
            pipes[which].send("go")
            seconds[which].append(pipes[which].recv())
    for pipe in pipes:
        pipe.send("stop")
    return seconds


def main() -> None:
    """Prints a line for each workload."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, required=True, help="the other checkout")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--workloads", nargs="+", default=["dense", "conv", "iwae"])
    arguments = parser.parse_args()
    roots = [str(arguments.before.resolve()), str(Path(__file__).resolve().parents[1])]
    for workload in arguments.workloads:
        before, after = measure(roots, workload, arguments.rounds)
        ratios = [old / new for old, new in zip(before, after, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        rate = IMAGES / statistics.median(after)
        print(f"{workload:6} {rate:8,.0f} images/s   {middle:.3f} [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
