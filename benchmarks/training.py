"""Images per second of `VAE.fit`, beside the same networks in other hands.

    python benchmarks/training.py [--rounds 7] [--images 12800] [--json FILE]

Every contender lives in a process of its own, is warmed up (compiled), and then waits. A round runs
one epoch of each, one after the other, so that a machine whose speed drifts slows them alike; the
figures are ratios within a round to the peer "keras.io example", as median [lowest, highest].

Workloads, batch 128, 28x28x1 images: "dense" is 784-500-z20-500-784 with tanh; "conv" is the network of
keras.io's VAE example (z = 2). The pixels are random: speed does not depend on what they show.
"""

import argparse
import importlib
import json
import multiprocessing
import os
import statistics
import time
from multiprocessing.connection import Connection
from pathlib import Path

BATCH = 128
BASE = "keras.io example"
# name, module, arguments of its `trainer`
CONTENDERS = {
    "dense": [
        ("vae_tf, defaults", "peers.vae_tf_fit", {"precision": "float32"}),
        (BASE, "peers.keras_example", {}),
        ("PyTorch eager", "peers.pytorch_eager", {}),
    ],
    "conv": [
        ("vae_tf, defaults", "peers.vae_tf_fit", {"precision": "float32"}),
        (BASE, "peers.keras_example", {}),
        ("PyTorch eager", "peers.pytorch_eager", {}),
    ],
}


def contender(pipe: Connection, module: str, workload: str, images: int, arguments: dict) -> None:
    """Trains two epochs to warm up, then one for each message, answering with its seconds."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np

    x = np.random.default_rng(0).integers(0, 256, size=(images, 28, 28, 1), dtype=np.uint8)
    epoch = importlib.import_module(module).trainer(workload, x, BATCH, **arguments)
    epoch()
    epoch()
    pipe.send("ready")
    while pipe.recv() == "go":
        start = time.perf_counter()
        epoch()
        pipe.send(time.perf_counter() - start)


def measure(workload: str, rounds: int, images: int) -> dict[str, list[float]]:
    """Seconds of an epoch of each contender, one for each round."""
    spawn = multiprocessing.get_context("spawn")
    pipes = {}
    for name, module, arguments in CONTENDERS[workload]:
        here, there = spawn.Pipe()
        spawn.Process(
            target=contender, args=(there, module, workload, images, arguments), daemon=True
        ).start()
        pipes[name] = here
        here.recv()  # one warms up at a time
    seconds: dict[str, list[float]] = {name: [] for name in pipes}
    for _ in range(rounds):
        for name, pipe in pipes.items():
            pipe.send("go")
            seconds[name].append(pipe.recv())
    for pipe in pipes.values():
        pipe.send("stop")
    return seconds


def main() -> None:
    """Measures both workloads and prints a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=100 * BATCH, help="images an epoch")
    parser.add_argument("--json", type=Path, help="also write the seconds of every round here")
    parser.add_argument(
        "--bfloat16",
        action="store_true",
        help="also vae_tf in mixed_bfloat16 on the convolutions; minutes on a CPU without bfloat16",
    )
    arguments = parser.parse_args()
    if arguments.bfloat16:
        half = ("vae_tf, mixed_bfloat16", "peers.vae_tf_fit", {"precision": "mixed_bfloat16"})
        CONTENDERS["conv"].insert(1, half)
    everything = {}
    for workload in CONTENDERS:
        seconds = everything[workload] = measure(workload, arguments.rounds, arguments.images)
        print(f"\n{workload}, {os.cpu_count()} CPU cores, {arguments.rounds} rounds")
        print(f"{'':26}{'images/s':>10}   speed relative to {BASE}")
        for name, own in seconds.items():
            ratios = [base / mine for base, mine in zip(seconds[BASE], own, strict=True)]
            rate = arguments.images / statistics.median(own)
            spread = f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
            print(f"{name:26}{rate:10,.0f}   {spread}")
    if arguments.json:
        arguments.json.write_text(json.dumps(everything, indent=2))


if __name__ == "__main__":
    main()
