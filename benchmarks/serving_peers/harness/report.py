"""Median and spread as a table, as JSON and as a figure."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from serving_peers.harness.load import Result
from vae_tf import pictures
from vae_tf.pictures.style import PALETTE, style

# (protocol, workload, connections, peer) -> one result a round
Results = Mapping[tuple[str, str, int, str], Sequence[Result]]

_PROTOCOLS = {"rest": "REST", "grpc": "gRPC"}
_LATENCIES = ("p50_ms", "p99_ms")


def table(results: Results) -> str:
    """Requests per second, median [lowest, highest] of the rounds, and median p50 and p99."""
    lines = []
    for protocol, workload in dict.fromkeys(key[:2] for key in results):
        cells = {
            key[2:]: value for key, value in results.items() if key[:2] == (protocol, workload)
        }
        connections = sorted({number for number, _ in cells})
        lines.append(f"\n{workload} over {_PROTOCOLS[protocol]}")
        header = "".join(f"{f'{number} connections':>38}" for number in connections)
        lines.append(f"{'requests/s, p50 / p99 in ms':30}{header}")
        for peer in dict.fromkeys(name for _, name in cells):
            row = "".join(f"{_cell(cells.get((number, peer))):>38}" for number in connections)
            lines.append(f"{peer:30}{row}")
    return "\n".join(lines)


def _cell(rounds: Sequence[Result] | None) -> str:
    if not rounds:
        return "-"
    rates = [result["requests_per_second"] or 0.0 for result in rounds]
    latency = " / ".join(_milliseconds([result[key] for result in rounds]) for key in _LATENCIES)
    failed = sum(result["failed"] or 0 for result in rounds)
    mark = f", {failed:.0f} failed" if failed else ""
    return f"{statistics.median(rates):.0f} [{min(rates):.0f}, {max(rates):.0f}], {latency}{mark}"


def _milliseconds(rounds: Sequence[float | None]) -> str:
    known = [value for value in rounds if value is not None]
    return f"{statistics.median(known):.1f}" if known else "-"


def draw(results: Results, path: Path) -> None:
    """Draws requests per second over connections: a row a protocol, a column a workload."""
    protocols = list(dict.fromkeys(key[0] for key in results))
    workloads = list(dict.fromkeys(key[1] for key in results))
    peers = list(dict.fromkeys(key[3] for key in results))
    with style():
        figure = Figure(figsize=(3.2 * len(workloads), 2.8 * len(protocols)), layout="constrained")
        axes = figure.subplots(len(protocols), len(workloads), squeeze=False, sharex=True)
        for i, protocol in enumerate(protocols):
            for j, workload in enumerate(workloads):
                panel = axes[i][j]
                for k, peer in enumerate(peers):
                    points = {
                        key[2]: [result["requests_per_second"] or 0.0 for result in rounds]
                        for key, rounds in sorted(results.items())
                        if (key[0], key[1], key[3]) == (protocol, workload, peer) and rounds
                    }
                    if not points:
                        continue
                    middle = [statistics.median(rates) for rates in points.values()]
                    spread = [
                        [m - min(r) for m, r in zip(middle, points.values(), strict=True)],
                        [max(r) - m for m, r in zip(middle, points.values(), strict=True)],
                    ]
                    panel.errorbar(
                        list(points),
                        middle,
                        spread,
                        color=PALETTE[k % len(PALETTE)],
                        linestyle="-" if k < len(PALETTE) else "--",
                        marker="o",
                        markersize=3,
                        label=peer,
                    )
                panel.set(xscale="log", yscale="log", title=f"{workload}, {_PROTOCOLS[protocol]}")
                panel.set_xticks(sorted({key[2] for key in results}))
                panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                for axis in (panel.xaxis, panel.yaxis):
                    axis.set_major_formatter("{x:,.0f}")
                    axis.minorticks_off()
        for panel in axes[-1]:
            panel.set_xlabel("connections")
        for row in axes:
            row[0].set_ylabel("requests/s")
        handles = {
            label: handle
            for row in axes
            for panel in row
            for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
        pictures.save(figure, path)
