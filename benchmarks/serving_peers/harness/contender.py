"""A peer as a process of its own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from serving_peers.harness import load
from serving_peers.harness.environment import UnavailableError
from serving_peers.peer import Peer, Workload

PEERS = Path(__file__).parents[1]


class Contender:
    """Starts a peer and has it answer.

    Args:
        name: As it is called in the tables.
        python: The interpreter of its environment.
        script: In `serving_peers`, and what follows its arguments.
        model: The SavedModel.
        workloads: Folder of them.
        folder: For its requests and its log.
    """

    is_server = True

    def __init__(
        self,
        name: str,
        python: Path,
        script: Sequence[str],
        model: Path,
        workloads: Path,
        folder: Path,
    ) -> None:
        folder.mkdir(parents=True)
        self.name = name
        self._peer = Peer(model, workloads, folder, _free_port(), _free_port())
        self._answer_bytes: dict[str, int] = {}
        arguments = [model, workloads, folder, self._peer.http_port, self._peer.grpc_port]
        command = [python, PEERS / script[0], *arguments, *script[1:]]
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if not self.is_server else log,
                stderr=log,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # so that its workers end with it
                text=True,
            )

    def wait(self, seconds: float = 180) -> None:
        """Returns when it answers every workload, rightly.

        Raises:
            UnavailableError: if it does not within `seconds`, or answers with other numbers.
        """
        end = time.monotonic() + seconds
        for workload in self._peer.workloads():
            self._wait_for("rest", workload, end)
        for workload in self._peer.workloads():
            if "grpc" in self.protocols(workload.name):
                self._wait_for("grpc", workload, end)

    def protocols(self, workload: str) -> list[str]:
        """Those that it speaks, once it is up."""
        requests = self._peer.requests
        return [p for p in ("rest", "grpc") if (requests / f"{workload}.{p}.body").exists()]

    def measure(
        self, protocol: str, workload: str, connections: int, seconds: float
    ) -> load.Result:
        """Figures of `load`; returns when all that it was sent is worked off."""
        path, body = self._request(protocol, workload)
        if protocol == "rest":
            result = load.rest(self._peer.http_port, path, body, connections, seconds)
        else:
            size = self._answer_bytes[workload]
            result = load.grpc(self._peer.grpc_port, path, body, connections, seconds, size)
        # The generators hang up and leave; a slow server still has their requests before it.
        self._ask(protocol, workload, timeout=120)
        return result

    def stop(self) -> None:
        """Ends it and its children."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._process.wait()

    def _wait_for(self, protocol: str, workload: Workload, end: float) -> None:
        while True:
            try:
                answer = self._ask(protocol, workload.name, timeout=30)
                break
            except (OSError, http.client.HTTPException, grpc.RpcError, FileNotFoundError) as error:
                if time.monotonic() > end or self._process.poll() is not None:
                    words = self.log.read_text(errors="replace").strip().splitlines()
                    reason = words[-1] if words else repr(error)
                    raise UnavailableError(f"no answer to {workload.name}: {reason}") from error
                time.sleep(0.5)
        if protocol == "grpc":
            self._answer_bytes[workload.name] = len(answer)
        elif not _holds(json.loads(answer), workload.expected):
            raise UnavailableError(f"wrong answer to {workload.name}: {answer[:200]!r}")

    def _request(self, protocol: str, workload: str) -> tuple[str, Path]:
        stem = f"{workload}.{protocol}"
        path = (self._peer.requests / f"{stem}.path").read_text()
        return path, self._peer.requests / f"{stem}.body"

    def _ask(self, protocol: str, workload: str, timeout: float) -> bytes:
        path, body = self._request(protocol, workload)
        if protocol == "grpc":
            with grpc.insecure_channel(f"127.0.0.1:{self._peer.grpc_port}") as channel:
                return channel.unary_unary(path)(body.read_bytes(), timeout=timeout)
        connection = http.client.HTTPConnection("127.0.0.1", self._peer.http_port, timeout)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", path, body.read_bytes(), headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise http.client.HTTPException(f"{response.status} {answer[:200]!r}")
        return answer


class InProcess(Contender):
    """The ceiling, which is no server."""

    is_server = False

    def wait(self, seconds: float = 180) -> None:
        """See `Contender`."""
        assert self._process.stdout
        if self._process.stdout.readline() != "ready\n":
            raise UnavailableError(self.log.read_text(errors="replace").strip().splitlines()[-1])

    def protocols(self, workload: str) -> list[str]:
        """It stands in both tables."""
        return ["rest", "grpc"]

    def measure(
        self, protocol: str, workload: str, connections: int, seconds: float
    ) -> load.Result:
        """See `Contender`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{workload} {connections} {seconds}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _holds(answer: Any, expected: dict[str, np.ndarray]) -> bool:
    """Whether the numbers in a JSON value, however it is laid out, include all expected ones."""
    found = np.sort(np.fromiter(_numbers(answer), float))
    wanted = np.concatenate([array.ravel() for array in expected.values()])
    if not len(found):
        return False
    after = np.clip(np.searchsorted(found, wanted), 1, len(found) - 1)
    distance = np.minimum(abs(found[after - 1] - wanted), abs(found[after] - wanted))
    return bool((distance < 1e-4).all())


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _numbers(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
