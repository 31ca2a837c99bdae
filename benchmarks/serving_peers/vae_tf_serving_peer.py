"""Embedded server of this repository with its defaults, or TensorFlow Serving with the same flags."""

import os
import sys

from peer import peer

from vae_tf_serving.client.grpc_protocol import GrpcProtocol
from vae_tf_serving.client.options import Options
from vae_tf_serving.client.rest_protocol import RestProtocol


def main() -> None:
    """Writes the requests and executes the server.

    A sixth argument names another binary, or the folder of another checkout.
    """
    binary = sys.argv.pop(6) if len(sys.argv) > 6 else None
    if binary and os.path.isdir(binary):
        os.environ["PYTHONPATH"] = os.path.join(binary, "serving")
        binary = None
    me = peer()
    options = Options("localhost:1")
    for workload in me.workloads():
        for name, protocol in {
            "rest": RestProtocol(options),
            "grpc": GrpcProtocol(options),
        }.items():
            call = protocol.predict(workload.signature, workload.inputs)
            me.write(name, workload, call.path, call.body or b"")
    command = [binary] if binary else [sys.executable, "-m", "vae_tf_serving", "--engine=embedded"]
    command += [f"--port={me.grpc_port}", f"--rest_api_port={me.http_port}"]
    command += ["--model_name=vae", f"--model_base_path={me.model.parent.resolve()}"]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
