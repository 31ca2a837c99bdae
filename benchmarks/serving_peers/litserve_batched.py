"""LitServe with its dynamic batching: one API a signature, each in a worker process."""

from typing import Any

import litserve
import numpy as np
from peer import columns, peer

ME = peer()


class SignatureAPI(litserve.LitAPI):
    """Batches requests of any number of rows."""

    def __init__(self, signature: str, **options: Any) -> None:
        super().__init__(api_path=f"/{signature}", **options)
        self.signature = signature

    def setup(self, device: str) -> None:
        """In the worker."""
        import tensorflow as tf

        self.constant = tf.constant
        self.function = tf.saved_model.load(ME.model).signatures[self.signature]
        specs = self.function.structured_input_signature[1].values()
        self.types = {spec.name: spec.dtype.as_numpy_dtype for spec in specs}

    def decode_request(self, request: dict) -> dict:
        """Arrays of one request."""
        return {name: np.asarray(request[name], kind) for name, kind in self.types.items()}

    def batch(self, inputs: list) -> tuple[list, dict]:
        """Rows of several requests, and how many each has."""
        joined = {name: np.concatenate([part[name] for part in inputs]) for name in self.types}
        return [len(next(iter(part.values()))) for part in inputs], joined

    def predict(self, inputs: tuple[list, dict]) -> tuple[list, dict]:
        """One call of the signature."""
        sizes, arrays = inputs
        outputs = self.function(**{name: self.constant(x) for name, x in arrays.items()})
        return sizes, {name: value.numpy() for name, value in outputs.items()}

    def unbatch(self, outputs: tuple[list, dict]) -> list:
        """The rows of each request."""
        sizes, arrays = outputs
        ends = np.cumsum(sizes)[:-1]
        parts = {name: np.split(array, ends) for name, array in arrays.items()}
        return [{name: part[i] for name, part in parts.items()} for i in range(len(sizes))]

    def encode_response(self, output: dict) -> dict:
        """JSON of one request."""
        return {name: array.tolist() for name, array in output.items()}


if __name__ == "__main__":
    for workload in ME.workloads():
        ME.write_json(workload, f"/{workload.signature}", columns(workload))
    signatures = sorted({workload.signature for workload in ME.workloads()})
    apis = [SignatureAPI(name, max_batch_size=64, batch_timeout=0.002) for name in signatures]
    server = litserve.LitServer(apis, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=ME.http_port, log_level="error", generate_client_file=False)
