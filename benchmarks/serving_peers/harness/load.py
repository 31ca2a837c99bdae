"""Load from wrk and h2load."""

import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

# requests_per_second, p50_ms, p99_ms, failed; None for the time of no answer
Result = dict[str, float | None]

_SCRIPT = Path(__file__).parents[1] / "wrk.lua"
_PACKAGES = {"wrk": "wrk", "h2load": "nghttp2-client"}


def check_tools() -> None:
    """Exits with what to install, if something is missing."""
    missing = [package for tool, package in _PACKAGES.items() if not shutil.which(tool)]
    if missing:
        raise SystemExit(f"The load generators are missing: apt-get install {' '.join(missing)}")


def rest(port: int, path: str, body: Path, connections: int, seconds: float) -> Result:
    """Figures of wrk that keeps one request under way on each of `connections` connections.

    Returns:
        requests_per_second (answered with 2xx), p50_ms, p99_ms (None without any), failed (all else).
    """
    command = ["wrk", "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{seconds:g}s", "--timeout", "60s", "--script", str(_SCRIPT)]
    command += [f"http://127.0.0.1:{port}{path}"]
    result = json.loads(_output(command, BODY=str(body)).splitlines()[-1])
    if not result["requests_per_second"]:
        result["p50_ms"] = result["p99_ms"] = None
    return result


def grpc(
    port: int, path: str, body: Path, connections: int, seconds: float, answer_bytes: int
) -> Result:
    """As `rest`, of h2load.

    A gRPC error is an HTTP 200 without a message, which h2load takes for success: too few bytes
    per answer tell.

    Args:
        port: Of the server.
        path: "/service/method".
        body: A file with the message.
        connections: Each with one request under way.
        seconds: How long.
        answer_bytes: Of a good answer.
    """
    message = body.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        framed, log = Path(folder) / "body", Path(folder) / "log"
        framed.write_bytes(struct.pack(">BI", 0, len(message)) + message)
        command = ["h2load", "--clients", str(connections), "--max-concurrent-streams", "1"]
        command += ["--threads", "1", "--duration", f"{seconds:g}", "--data", str(framed)]
        command += ["--header", "content-type: application/grpc", "--header", "te: trailers"]
        command += ["--log-file", str(log), f"http://127.0.0.1:{port}{path}"]
        summary = _output(command)
        # Start in microseconds, HTTP status, duration in microseconds.
        lines = [line.split("\t") for line in log.read_text().splitlines()]
    took = sorted(int(duration) / 1000 for _, status, duration in lines if status == "200")
    received = re.search(r"traffic: .*\((\d+)\) data", summary)
    assert received, summary
    good = min(len(took), int(received[1]) // answer_bytes)
    return {
        "requests_per_second": good / seconds,
        "p50_ms": took[len(took) // 2] if took else None,
        "p99_ms": took[len(took) * 99 // 100] if took else None,
        "failed": len(lines) - good,
    }


def _output(command: list[str], **environment: str) -> str:
    result = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout
