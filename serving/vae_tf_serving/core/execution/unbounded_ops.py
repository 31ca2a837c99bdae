"""Finds operations whose run time is not bounded by the size of their inputs."""

from collections.abc import Iterable, Iterator

from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef

_LOOP_OPS = {"While", "StatelessWhile", "Enter", "RefEnter"}


def depends_on_loop(graph: GraphDef, operations: Iterable[str]) -> bool:
    """Returns whether `operations` of `graph` depend on a loop or a recursive function.

    Args:
        graph: The graph, with its function library.
        operations: Names of operations, such as "StatefulPartitionedCall".
    """
    library = {function.signature.name: function for function in graph.library.function}
    nodes = {node.name: node for node in graph.node}
    known: dict[str, bool] = {}
    seen: set[str] = set()
    waiting = list(operations)
    while waiting:
        node = nodes.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if _is_unbounded(node, library, known):
            return True
        waiting.extend(name.removeprefix("^").split(":")[0] for name in node.input)
    return False


def _is_unbounded(node: NodeDef, library: dict[str, FunctionDef], known: dict[str, bool]) -> bool:
    if node.op in _LOOP_OPS:
        return True
    return any(_function_is_unbounded(name, library, known) for name in _called(node, library))


def _called(node: NodeDef, library: dict[str, FunctionDef]) -> Iterator[str]:
    if node.op in library:
        yield node.op
    for value in node.attr.values():
        if value.func.name:
            yield value.func.name
        yield from (function.name for function in value.list.func)


def _function_is_unbounded(
    name: str, library: dict[str, FunctionDef], known: dict[str, bool]
) -> bool:
    if name not in known:
        known[name] = True  # stands if the function is reached again: it is recursive then
        function = library.get(name)
        known[name] = function is not None and any(
            _is_unbounded(node, library, known) for node in function.node_def
        )
    return known[name]
