"""Check of the graph of a SavedModel: no state, no Python, no device."""

from collections.abc import Iterator
from pathlib import Path

from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from vae_tf.utils.errors import InputError

# TensorFlow puts the nodes that save and restore there, on machines with a GPU too.
_HARMLESS = "/device:CPU:"
_RANDOM = (
    "Random",
    "Rng",
    "Multinomial",
    "TruncatedNormal",
    "StatefulUniform",
    "StatefulStandardNormal",
)


def check_graph(path: Path) -> None:
    """Looks at every node of a SavedModel.

    Args:
        path: The version directory.

    Raises:
        InputError: for a Python function, a random operation with a state of its own, or a device.
    """
    saved = SavedModel.FromString((path / "saved_model.pb").read_bytes())
    for meta_graph in saved.meta_graphs:
        for node in _nodes(meta_graph.graph_def):
            problem = _problem(node)
            if problem:
                raise InputError(
                    f"The model cannot be exported: its graph has the node {node.name!r}, {problem}."
                )


def _nodes(graph: GraphDef) -> Iterator[NodeDef]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def _problem(node: NodeDef) -> str | None:
    if "PyFunc" in node.op:
        return "which calls Python; write that layer with TensorFlow operations"
    if _is_stateful_random(node.op):
        return (
            f"which draws by the stateful operation {node.op}, so that a seed does not fix the answer; "
            "draw by tf.random.stateless_* instead"
        )
    if node.device and not node.device.startswith(_HARMLESS):
        return f"bound to {node.device}; build the model outside of tf.device"
    return None


def _is_stateful_random(op: str) -> bool:
    return "Stateless" not in op and any(part in op for part in _RANDOM)
