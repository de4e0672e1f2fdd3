"""docs/metrics.md: every metric, with its labels and its meaning; and none stands anywhere else."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from workers.channels.delivery.erasing import erasing_chore
from workers.channels.metrics import IngressMetrics
from workers.gateway.metrics import GatewayMetrics
from workers.routing.worker import routing_chores
from workers.runtime.metrics import INTAKE, UPKEEP

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "metrics.md"
DECLARED = re.compile(r"\b(?:Counter|Gauge|Histogram|Summary|Info|Enum)\(\s*f?[\"']tongdai_")


def modules() -> list[Path]:
    """The files in which metrics are declared."""
    return sorted((ROOT / "workers").rglob("metrics.py"))


def rows() -> Iterator[str]:
    """A line of the page for each metric."""
    for path in modules():
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for registry in (REGISTRY, GatewayMetrics().registry, IngressMetrics().registry):
        yield from _of(registry)


def _of(registry: CollectorRegistry) -> Iterator[str]:
    for collector in list(registry._collector_to_names):
        if isinstance(collector, MetricWrapperBase) and collector._name.startswith("tongdai_"):
            name = f"{collector._name}_total" if collector._type == "counter" else collector._name
            labels = f"{{{','.join(collector._labelnames)}}}" if collector._labelnames else ""
            yield f"| `{name}{labels}` | {collector._type} | {collector._documentation.rstrip('.')} |"


def test_the_page_lists_every_metric_as_it_is_declared() -> None:
    found = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(found) == sorted(set(rows()))
    assert len(found) > 50


def test_what_operators_are_told_first_has_all_words_of_the_declaration() -> None:
    """What intake made of records, and the chores of upkeep."""
    chores = {chore.name for chore in (*routing_chores(), erasing_chore())}
    operating = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    told = next(line for line in operating.splitlines() if "`tongdai_intake_records_total{became}`" in line)
    assert set(re.findall("`([a-z_]+)`", INTAKE._documentation)) == set(re.findall("`([a-z_]+)`", told))
    assert chores == set(re.findall("`([a-z_ ]+)`", UPKEEP._documentation))
    upkeep = operating.partition("\n## Upkeep")[2].partition("\n## ")[0]
    assert {chore for chore in chores if f"`{chore}`" not in upkeep} == set()


def test_metrics_are_declared_beside_what_they_count_in_files_of_their_own() -> None:
    elsewhere = [
        path
        for path in (ROOT / "workers").rglob("*.py")
        if path.name != "metrics.py" and DECLARED.search(path.read_text())
    ]
    assert elsewhere == []
