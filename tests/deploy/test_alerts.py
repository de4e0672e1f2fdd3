"""deploy/prometheus/alerts.yaml: PromQL over metrics, labels and values that the workers really have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

import workers.channels.delivery.metrics
import workers.runtime.metrics
import workers.webhooks.metrics  # noqa: F401  each declares its metrics
from tests.cli.command_line import commands
from workers.access.rights import WORKERS
from workers.channels.metrics import IngressMetrics
from workers.gateway.metrics import GatewayMetrics

PATH = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(PATH.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
_COMMAND = re.compile(r"`tongdai ([^`]+)`")
ENDS = {Counter: ("_total",), Histogram: ("_bucket", "_sum", "_count")}
"""What the names of a metric's series end with; its own name is none of them."""


def _declared(registry: CollectorRegistry) -> Iterator[tuple[str, Any]]:
    """Each metric as Prometheus calls it, and its declaration."""
    for metric, names in registry._collector_to_names.items():
        ends = ENDS.get(type(metric), ("",))
        for name in names:
            if name.startswith("tongdai_") and name.endswith(ends):
                yield name, metric


METRICS: dict[str, Any] = {
    name: metric
    for registry in (REGISTRY, IngressMetrics().registry, GatewayMetrics().registry)
    for name, metric in _declared(registry)
}


def _parts(expression: Any) -> Iterator[Any]:  # noqa: ANN401  the parser has no types
    """An expression and everything in it."""
    yield expression
    for field in ("lhs", "rhs", "expr", "vector_selector"):
        if (part := getattr(expression, field, None)) is not None:
            yield from _parts(part)
    for part in getattr(expression, "args", None) or ():
        yield from _parts(part)


def _selectors(expression: Any) -> Iterator[Any]:  # noqa: ANN401
    return (part for part in _parts(expression) if isinstance(part, promql.VectorSelector))


def _by(expression: Any) -> set[str]:  # noqa: ANN401
    """The labels that aggregations keep."""
    aggregates = (part for part in _parts(expression) if isinstance(part, promql.AggregateExpr))
    return {label for each in aggregates if each.modifier is not None for label in each.modifier.labels}


def _mistakes(expr: str) -> list[str]:
    expression = promql.parse(expr)
    found: list[str] = []
    for selector in _selectors(expression):
        metric = METRICS.get(selector.name)
        if metric is None:
            found.append(f"{selector.name} is no metric")
            continue
        matchers = {each.name: each.value for each in selector.matchers.matchers}
        labels = {*matchers, *_by(expression)}
        found += [
            f"{selector.name} has no label {label}" for label in sorted(labels.difference(metric._labelnames))
        ]
        lanes = {lane for rights in WORKERS.values() for lane in rights.lanes}
        for label, values in matchers.items():
            known = lanes if label == "kind" else set(re.findall(r"\w+", metric._documentation))
            found += [f"{label}={value} never happens" for value in values.split("|") if value not in known]
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_the_workers_tell(rule: dict[str, Any]) -> None:
    assert _mistakes(rule["expr"]) == []
    assert list(_selectors(promql.parse(rule["expr"])))


@pytest.mark.parametrize(
    ("expr", "mistake"),
    [
        ("tongdai_lanes_stoped > 0", "tongdai_lanes_stoped is no metric"),
        ("tongdai_fenced > 0", "tongdai_fenced is no metric"),
        ("sum by (lane) (tongdai_lanes_stopped) > 0", "tongdai_lanes_stopped has no label lane"),
        ('absent(tongdai_lanes_held{kind="intakes"})', "kind=intakes never happens"),
        ('increase(tongdai_webhooks_ended_total{why=~"gone|off"}[5m]) > 0', "why=off never happens"),
    ],
)
def test_a_mistake_in_a_rule_is_seen(expr: str, mistake: str) -> None:
    assert mistake in _mistakes(expr)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_says_how_bad_it_is_what_happens_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "do"}
    told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    expression = promql.parse(rule["expr"])
    matched = {each.name for selector in _selectors(expression) for each in selector.matchers.matchers}
    assert told <= _by(expression) | (matched if "absent" in rule["expr"] else set())


def test_names_are_given_once() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))


def test_no_kind_of_lane_can_be_without_workers_unseen() -> None:
    (rule,) = [rule for rule in RULES if rule["alert"] == "TongdaiNobodyWorks"]
    kinds = {
        each.value
        for selector in _selectors(promql.parse(rule["expr"]))
        for each in selector.matchers.matchers
    }
    assert kinds == {lane for rights in WORKERS.values() for lane in rights.lanes}


def test_commands_that_rules_name_are_ours() -> None:
    named = _COMMAND.findall(PATH.read_text(encoding="utf-8"))
    assert "topics apply --dry-run" in named  # `topics list` asks no Kafka
    assert [each for each in named if each.partition(" --")[0] not in commands()] == []
