"""Upper bound: the signature called in process, on ready-made batches.

Not a server. Reads lines "WORKLOAD CONNECTIONS SECONDS" and answers each with a line of JSON: what a
server would reach that always found CONNECTIONS requests waiting and took no time for anything else.
"""

import json
import sys
import time

import numpy as np
import tensorflow as tf
from peer import peer

ME = peer()


def main() -> None:
    """Answers until there is no more input."""
    # The faster choice at every size of this model; servers with batches ready would have one caller.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    signatures = tf.saved_model.load(ME.model).signatures
    workloads = {workload.name: workload for workload in ME.workloads()}
    print("ready", flush=True)
    for line in sys.stdin:
        name, connections, seconds = line.split()
        workload, requests = workloads[name], int(connections)
        batch = {key: np.concatenate([x] * requests) for key, x in workload.inputs.items()}
        function = signatures[workload.signature]
        took = []
        start = time.perf_counter()
        while time.perf_counter() - start < float(seconds):
            before = time.perf_counter()
            outputs = function(**{key: tf.constant(x) for key, x in batch.items()})
            for output in outputs.values():
                output.numpy()
            took.append(1000 * (time.perf_counter() - before))
        result = {
            "requests_per_second": requests * len(took) / (time.perf_counter() - start),
            "p50_ms": float(np.percentile(took, 50)),
            "p99_ms": float(np.percentile(took, 99)),
            "failed": 0,
        }
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
