"""Common part of the peers: reads the arguments, and writes the requests for the load generator.

    python PEER.py MODEL WORKLOADS REQUESTS HTTP_PORT GRPC_PORT

MODEL is a SavedModel. WORKLOADS holds a file NAME.npz for each workload: the inputs by name, and
the outputs as "expected/NAME". The name begins with the signature, as in "decode-32".

Needs numpy alone, since each peer has an environment of its own.
"""

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True)
class Workload:
    """Input arrays, and the expected outputs."""

    name: str
    inputs: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]

    @property
    def signature(self) -> str:
        """The signature it calls."""
        return self.name.partition("-")[0]


@dataclasses.dataclass(frozen=True)
class Peer:
    """The arguments of this process."""

    model: Path
    workload_folder: Path
    requests: Path
    http_port: int
    grpc_port: int

    def workloads(self) -> Iterator[Workload]:
        """All workloads."""
        for path in sorted(self.workload_folder.glob("*.npz")):
            with np.load(path) as arrays:
                sides: tuple[dict, dict] = ({}, {})
                for key in arrays:
                    sides["/" in key][key.rpartition("/")[2]] = arrays[key]
            yield Workload(path.stem, *sides)

    def write(self, protocol: str, workload: Workload, path: str, body: bytes) -> None:
        """Leaves a request for the load generator: `protocol` is "rest" or "grpc"."""
        stem = self.requests / f"{workload.name}.{protocol}"
        stem.with_suffix(f".{protocol}.path").write_text(path)
        stem.with_suffix(f".{protocol}.body").write_bytes(body)

    def write_json(self, workload: Workload, path: str, body: object) -> None:
        """`write` for REST and JSON."""
        self.write("rest", workload, path, json.dumps(body).encode())


def peer() -> Peer:
    """This process's arguments."""
    model, workloads, requests, http_port, grpc_port = sys.argv[1:]
    return Peer(Path(model), Path(workloads), Path(requests), int(http_port), int(grpc_port))


def columns(workload: Workload) -> dict[str, list]:
    """The inputs as JSON has them."""
    return {name: array.tolist() for name, array in workload.inputs.items()}
