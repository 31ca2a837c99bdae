"""Requests per second and latency of the embedded server and of other servers.

    python benchmarks/serving.py [--peers NAME ...] [--rounds 5] [--seconds 3]

The model is a 784-500-z20-500-784 net. Every peer is a process in a virtual environment of its own,
made with pip on first use. All peers run at the same time, warmed up, and are measured in turn: in a
round each is measured once in every cell (signature and rows, protocol, connections), so that a drift of
the machine's speed affects all. Each connection has one request at a time; wrk sends REST, h2load gRPC,
from the same machine. The table shows the median of the rounds [lowest, highest].

With --before PATH the server and the export of another checkout, such as a worktree of an older commit,
are a peer too, called "before".

First every peer's response to every workload is compared over REST with the model's.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from serving_peers.harness import load, report
from serving_peers.harness.contender import PEERS, Contender, InProcess
from serving_peers.harness.environment import UnavailableError, python_with

TENSORFLOW = "tensorflow>=2.21,<2.22"
BEFORE = "before"
# name -> script and its further arguments, requirements (none: this environment)
CONTENDERS: dict[str, tuple[list[str], list[str]]] = {
    "vae_tf_serving": (["vae_tf_serving_peer.py"], []),
    "tensorflow_model_server": (["vae_tf_serving_peer.py", "tensorflow_model_server"], []),
    "unbatched": (["unbatched.py"], []),
    "FastAPI": (["fastapi_predict.py"], [TENSORFLOW, "fastapi", "uvicorn[standard]"]),
    "LitServe": (["litserve_batched.py"], [TENSORFLOW, "litserve"]),
    "BentoML": (["bentoml_batched.py"], [TENSORFLOW, "bentoml"]),
    "MLServer": (["mlserver_batched.py"], [TENSORFLOW, "mlserver"]),
    "echo": (["echo.py"], []),
    "in process": (["in_process.py"], []),
}
WORKLOADS = ("sample-1", "decode-1", "decode-32", "encode-1")


def make_model(folder: Path, root: Path | None = None) -> None:
    """Exports the model and writes the workloads, with another checkout where one is given."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if root is not None:
        environment["PYTHONPATH"] = str(root.resolve())
    subprocess.run([sys.executable, PEERS / "make_model.py", folder], check=True, env=environment)


def start(name: str, folder: Path, environments: Path) -> Contender:
    """A peer that is up and answers rightly.

    Raises:
        UnavailableError: if it cannot be installed, started or believed.
    """
    script, requirements = CONTENDERS[name]
    if len(script) > 1 and name != BEFORE and not shutil.which(script[1]):
        raise UnavailableError(f"{script[1]} is not on the PATH")
    python = python_with(requirements, environments)
    kind = InProcess if name == "in process" else Contender
    model, workloads = folder / "vae" / "1", folder / "workloads"
    contender = kind(name, python, script, model, workloads, folder / "peers" / name)
    try:
        contender.wait()
    except UnavailableError:
        contender.stop()
        raise
    return contender


def measure(contenders: list[Contender], arguments: argparse.Namespace) -> report.Results:
    """All rounds of all cells."""
    results = defaultdict(list)
    cells = itertools.product(("rest", "grpc"), arguments.workloads, arguments.connections)
    plan = [
        (protocol, workload, connections, contender)
        for protocol, workload, connections in cells
        for contender in contenders
        if protocol in contender.protocols(workload)
    ]
    for protocol, workload, _, contender in {(*cell[:2], 0, cell[3]): cell for cell in plan}:
        contender.measure(protocol, workload, max(arguments.connections), 1)  # warm
    for number in range(arguments.rounds):
        for protocol, workload, connections, contender in plan:
            result = contender.measure(protocol, workload, connections, arguments.seconds)
            results[protocol, workload, connections, contender.name].append(result)
        print(f"round {number + 1} of {arguments.rounds} is done", flush=True)
    return results


def main() -> None:
    """Measures, and writes serving.json and serving.png."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of a cell in a round")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    cache = Path.home() / ".cache" / "vae_tf" / "serving_peers"
    parser.add_argument("--environments", type=Path, default=cache, help="where they are kept")
    parser.add_argument("--before", type=Path, help="another checkout, measured too")
    arguments = parser.parse_args()
    load.check_tools()
    folder = Path(tempfile.mkdtemp(prefix="serving-benchmark-"))
    make_model(folder)
    folders = defaultdict(lambda: folder)
    if arguments.before:
        CONTENDERS[BEFORE] = (["vae_tf_serving_peer.py", f"{arguments.before.resolve()}"], [])
        arguments.peers = [*arguments.peers, BEFORE]
        folders[BEFORE] = folder / BEFORE
        folders[BEFORE].mkdir()
        make_model(folders[BEFORE], arguments.before)
    contenders: list[Contender] = []
    skipped = {}
    try:
        for name in arguments.peers:
            try:
                contenders.append(start(name, folders[name], arguments.environments))
                print(f"{name} is up", flush=True)
            except UnavailableError as error:
                skipped[name] = str(error)
        if not contenders:
            raise SystemExit("\n".join(f"skipped {n}: {reason}" for n, reason in skipped.items()))
        results = measure(contenders, arguments)
    finally:
        for contender in contenders:
            contender.stop()
    shutil.rmtree(folder)
    print(f"{os.cpu_count()} CPU cores, {arguments.rounds} rounds of {arguments.seconds:g} s")
    print(report.table(results))
    for name, reason in skipped.items():
        print(f"skipped {name}: {reason}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            **dict(zip(("protocol", "workload", "connections", "peer"), key, strict=True)),
            "rounds": r,
        }
        for key, r in results.items()
    ]
    machine = {"cpus": os.cpu_count(), "processor": platform.processor() or platform.machine()}
    text = json.dumps({"machine": machine, "skipped": skipped, "results": rows}, indent=2)
    (arguments.out / "serving.json").write_text(text)
    report.draw(results, arguments.out / "serving.png")


if __name__ == "__main__":
    main()
