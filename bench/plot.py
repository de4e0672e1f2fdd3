"""The results as pictures (SVG), for pages that show them in both light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.contestants import LABELS as CONTESTANT_LABELS
from bench.contestants import OURS
from bench.latency import LABELS, Latency
from bench.throughput import Throughput

_OURS, _OTHERS = "#c2410c", "#94a3b8"
_SHADES = ("#fdba74", "#f97316", "#9a3412")


def plot_throughput(result: Throughput, path: Path) -> None:
    """Bars of messages a second, the median of the rounds."""
    figure, axes = _figure(height=0.5 * len(result.runs) + 1.2)
    names = list(reversed(result.runs))
    values = [result.messages_per_s(name) for name in names]
    colours = [_OURS if name == OURS.name else _OTHERS for name in names]
    bars = axes.barh([CONTESTANT_LABELS[name] for name in names], values, color=colours)
    axes.bar_label(bars, labels=[f"{value:,.0f}" for value in values], padding=4)
    axes.set_xlabel(f"messages a second, median of {result.plan.rounds} rounds")
    axes.margins(x=0.15)
    _save(figure, path)


def plot_latency(result: Latency, path: Path) -> None:
    """Bars of the percentiles of each way."""
    found = result.percentiles()
    figure, axes = _figure(height=0.9 * len(found) + 1.2)
    for number, (name, shade) in enumerate(zip(("p50", "p95", "p99"), _SHADES, strict=True)):
        places = [place - 0.27 * (number - 1) for place in range(len(found))]
        values = [getattr(percentiles, name) for percentiles in reversed(found.values())]
        bars = axes.barh(places, values, height=0.25, color=shade, label=name)
        axes.bar_label(bars, labels=[f"{value:,.0f}" for value in values], padding=4)
    axes.set_yticks(range(len(found)), [LABELS[way] for way in reversed(found)])
    axes.set_xlabel(f"milliseconds at {result.plan.rate:,.0f} messages a second")
    axes.legend(loc="lower right", frameon=False)
    axes.margins(x=0.15)
    _save(figure, path)


PLOTS = {"throughput": plot_throughput, "latency": plot_latency}
"""By benchmark."""


def _figure(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(9, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # No date and no random ids: the same figures give the same file.
    with mpl.rc_context({"svg.hashsalt": "tongdai", "svg.fonttype": "none"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
