"""docs/scaling.md calculates with the figures that docs/performance.md has now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
MEASURED = (DOCS / "performance.md").read_text(encoding="utf-8")
SCALING = (DOCS / "scaling.md").read_text(encoding="utf-8")


def cells(table: str, row: str) -> list[str]:
    """A row of one of the tables that benchmarks write."""
    _, _, rest = MEASURED.partition(f"<!-- {table} -->")
    lines = (line for line in rest.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in next(lines).strip("|").split("|")]


def number(text: str) -> float:
    """A figure as tables have it."""
    return float(text.replace(",", ""))


STORE_MS, PUBLISH_MS, RECORDS = (round(number(each)) for each in cells("stages", "intake")[1:])
_, PER_S, _, MESSAGE_US, _, _ = cells("throughput", "Tongdai: intake + desk")
CLICK_US = cells("gateway", "the gateway's own CPU, µs a click")[1]
CLICKS_PER_S = cells("gateway", "clicks a second, 200,000 at the same time")[1]


@pytest.mark.parametrize(
    "said",
    [
        f"routing: × {MESSAGE_US} µs",
        f"{MESSAGE_US} µs of the worker's own processor time",
        f"{CLICK_US} µs of its processor for a click",
        f"{CLICKS_PER_S}/s were seen",
        f"every tenth of {PER_S} messages a second",
        f"ms at {PER_S} messages/s",
        f"({STORE_MS} + {PUBLISH_MS} ms for intake, overlapping) one worker had {RECORDS} in a batch",
    ],
)
def test_each_figure_is_the_one_that_was_measured_last(said: str) -> None:
    assert said in SCALING


@pytest.mark.parametrize(("cost_us", "of"), [(MESSAGE_US, "messages"), (CLICK_US, "clicks")])
def test_what_follows_from_it_is_calculated_right(cost_us: str, of: str) -> None:
    found = re.findall(rf"1 s / {cost_us} µs = ([\d,]+) {of}/s", SCALING)
    assert found
    assert [number(each) for each in found] == pytest.approx([1e6 / number(cost_us)] * len(found), rel=0.02)
