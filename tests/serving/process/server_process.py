"""A server in a process of its own."""

import contextlib
import re
import signal
import subprocess
import sys
import threading

GRPC_LINE = r"Running gRPC ModelServer at (\S+) \.\.\."
REST_LINE = r"Exporting HTTP/REST API at:(\S+) \.\.\."


class Process:
    """`python -m vae_tf_serving ...`; waits until it listens, or logs a match of `until`."""

    def __init__(self, *flags, until="", program=("-m", "vae_tf_serving")):
        line = [sys.executable, *program, "--port=auto", "--rest_api_port=auto"]
        self.popen = subprocess.Popen(
            [*line, "--engine=embedded", *flags], stderr=subprocess.PIPE, text=True
        )
        self.log = []
        if until:
            self._wait_for(until)
        else:
            self.grpc = self._wait_for(GRPC_LINE)
            self.rest = f"http://{self._wait_for(REST_LINE)}"
        self._reader = threading.Thread(target=lambda: self.log.extend(self.popen.stderr))
        self._reader.start()

    def _wait_for(self, pattern):
        for line in self.popen.stderr:
            self.log.append(line)
            if match := re.search(pattern, line):
                return match[match.lastindex or 0]
        raise AssertionError("".join(self.log))

    def end(self, number=signal.SIGTERM):
        """Exit code, after all of its log was read."""
        self.popen.send_signal(number)
        code = self.popen.wait(60)
        self._reader.join(10)
        return code

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()
