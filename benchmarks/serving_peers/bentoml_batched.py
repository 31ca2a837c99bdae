"""BentoML with its adaptive batching."""

import os
import sys
from pathlib import Path

import bentoml
import numpy as np

MODEL = "BENCHMARK_MODEL"
BATCHED = {"batchable": True, "batch_dim": 0, "max_batch_size": 2048, "max_latency_ms": 10_000}


@bentoml.service(workers=1, traffic={"timeout": 60})
class Vae:
    """A batchable API returns one array here; outputs of a signature stand side by side in it."""

    def __init__(self) -> None:
        import tensorflow as tf

        self.signatures = tf.saved_model.load(os.environ[MODEL]).signatures
        self.constant = tf.constant

    def _call(self, signature: str, **inputs: np.ndarray) -> np.ndarray:
        tensors = {name: self.constant(array) for name, array in inputs.items()}
        outputs = self.signatures[signature](**tensors)
        rows = len(next(iter(inputs.values())))
        return np.concatenate([value.numpy().reshape(rows, -1) for value in outputs.values()], 1)

    @bentoml.api(**BATCHED)
    def decode(self, z: np.ndarray) -> np.ndarray:
        """Means of p(x|z)."""
        return self._call("decode", z=z.astype("float32"))

    @bentoml.api(**BATCHED)
    def encode(self, x: np.ndarray) -> np.ndarray:
        """Mean and standard deviation of q(z|x)."""
        return self._call("encode", x=x.astype("float32"))

    @bentoml.api(**BATCHED)
    def sample(self, seed: np.ndarray) -> np.ndarray:
        """Draws, and the z they come from."""
        return self._call("sample", seed=seed.astype("int64"))


def main() -> None:
    """Becomes `bentoml serve`."""
    from peer import columns, peer

    me = peer()
    for workload in me.workloads():
        me.write_json(workload, f"/{workload.signature}", columns(workload))
    os.environ[MODEL] = str(me.model)
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    os.chdir(Path(__file__).parent)
    bento = Path(sys.executable).with_name("bentoml")
    command = [bento, "serve", "bentoml_batched:Vae", "--host", "127.0.0.1"]
    os.execv(bento, [*map(str, command), "--port", str(me.http_port)])


if __name__ == "__main__":
    main()
