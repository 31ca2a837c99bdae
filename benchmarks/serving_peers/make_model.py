"""Exports the model of the benchmark and writes the workloads.

    python make_model.py FOLDER

An untrained 784-500-z20-500-784 net: speed does not depend on what it has learnt.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

import vae_tf


def main() -> None:
    """Writes FOLDER/vae/1 and FOLDER/workloads."""
    folder = Path(sys.argv[1])
    vae = vae_tf.presets.mlp((28, 28, 1), latent_dim=20)
    vae.export(folder / "vae" / "1")
    signatures = tf.saved_model.load(folder / "vae" / "1").signatures
    random = np.random.default_rng(0)
    workloads = {
        "sample-1": {"seed": np.array([7_000_000])},
        "decode-1": {"z": random.normal(size=(1, 20)).astype("float32")},
        "decode-32": {"z": random.normal(size=(32, 20)).astype("float32")},
        "encode-1": {"x": random.uniform(size=(1, 28, 28, 1)).astype("float32")},
    }
    (folder / "workloads").mkdir()
    for name, inputs in workloads.items():
        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        outputs = signatures[name.partition("-")[0]](**tensors)
        expected = {f"expected/{key}": value.numpy() for key, value in outputs.items()}
        np.savez(folder / "workloads" / f"{name}.npz", **inputs, **expected)


if __name__ == "__main__":
    main()
