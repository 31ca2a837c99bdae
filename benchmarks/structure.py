"""Counts modules, imports and import cycles of the two packages.

`python benchmarks/structure.py` counts this checkout, `--root PATH` another one, such as a worktree of
an older commit.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import grimp

PACKAGES = {"vae_tf": ".", "vae_tf_serving": "serving"}


def count(package: str) -> dict[str, object]:
    """Figures of one package, which must be on `sys.path`.

    Returns:
        Name of a figure -> its value. An upward import is one of the fewest whose removal leaves the
        top-level packages and modules without a cycle. A cycle is a largest set of modules that
        all import each other, directly or not. Imports for annotations count.
    """
    graph = grimp.build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    modules = {m for m in graph.modules if not graph.find_children(m)}
    imports = {
        (a, b)
        for a in graph.modules
        for b in graph.find_modules_directly_imported_by(a)
        if _top(a) != _top(b) and package not in (a, b)
    }
    return {
        "modules": len(modules),
        "modules of each folder": dict(sorted(_folders(modules).items())),
        "top-level packages and modules": len(graph.find_children(package)),
        "imports between them (module to module)": len(imports),
        "imports between them (package to package)": len({(_top(a), _top(b)) for a, b in imports}),
        "upward imports": len(graph.nominate_cycle_breakers(package)),
        "import cycles": len(_cycles(graph)),
    }


def _folders(modules: set[str]) -> Counter[str]:
    return Counter(module.rpartition(".")[0].replace(".", "/") + "/" for module in modules)


def _top(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _cycles(graph: grimp.ImportGraph) -> list[set[str]]:
    """Sets of two or more modules that can all reach each other."""
    reached = {m: graph.find_upstream_modules(m) for m in graph.modules}
    cycles: list[set[str]] = []
    for module in sorted(graph.modules):
        if any(module in cycle for cycle in cycles):
            continue
        mutual = {m for m in reached[module] if module in reached[m]}
        if mutual:
            cycles.append({module, *mutual})
    return cycles


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    root = parser.parse_args().root
    sys.path[:0] = [str((root / folder).resolve()) for folder in PACKAGES.values()]
    for package in PACKAGES:
        print(package)
        for name, value in count(package).items():
            if isinstance(value, dict):
                value = ", ".join(f"{folder} {number}" for folder, number in value.items())
            print(f"  {name}: {value}")


if __name__ == "__main__":
    main()
