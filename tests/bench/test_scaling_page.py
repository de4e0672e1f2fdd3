"""docs/scaling.md calculates with the figures that docs/performance.md has now."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas.asks import GatewayAlive
from workers.access.rights import WORKERS
from workers.channels import ingress
from workers.channels.delivery import dispatcher
from workers.channels.fetching import fetcher
from workers.channels.outreach import runner
from workers.channels.reading import errands
from workers.channels.website import website
from workers.gateway import gateway, presence_teller
from workers.gateway.queries import pool
from workers.routing.desk.handler import DeskHandler
from workers.routing.intake.handler import IntakeHandler
from workers.routing.worker import routing_chores
from workers.webhooks import worker as webhooks

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


ONE_DESK = MEASURED.partition("## One desk")[2]
DECIDING = re.findall(r"left out, (\d+) % went into deciding", ONE_DESK)[0]
ONE_DESKS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in ONE_DESK.partition("the bare statements")[0].splitlines()
    if line.startswith("| ") and "---" not in line
][1:]
ENDS = next(cells[1] for cells in ONE_DESKS if cells[0].startswith("sessions that end"))
KEPT = next(cells for cells in ONE_DESKS if cells[0].startswith("assignments kept"))


@pytest.mark.parametrize(
    "said",
    [
        f"routing: × {MESSAGE_US} µs",
        f"{MESSAGE_US} µs of the worker's own processor time",
        f"{CLICK_US} µs of its processor for a click",
        f"{CLICKS_PER_S}/s were seen",
        f"every tenth of {PER_S} messages a second",
        f"ms at {PER_S} messages/s",
        *(f"| {cells[0]} | {cells[1]} | {cells[3]} |" for cells in ONE_DESKS if cells[0]),
        f"Deciding is {DECIDING} % of the handler's own time",
        f"{ENDS} × 0.{DECIDING} = {round(number(ENDS) * int(DECIDING) / 100, -2):,.0f} commands/s",
        f"part **{KEPT[1]}**",
        f"between {round(number(PER_S) / 10, -1):.0f} (seen) and {KEPT[3]} (kept in Postgres",
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


CONNECTIONS = {
    "routing": len(WORKERS["routing"].lanes)
    + sum(handler.takes_halves for handler in (IntakeHandler, DeskHandler))
    + len(routing_chores()),
    "notifier": len(WORKERS["notifier"].lanes),
    "delivery": len(WORKERS["delivery"].lanes)
    + 1  # its chore
    + dispatcher.POOL_MAX
    + errands.POOL_MAX
    + fetcher.CONNECTIONS_MAX
    + 2 * runner.CONNECTIONS_MAX,  # mails, phone
    "webhooks": webhooks.CONNECTIONS_MAX,
    "gateway": gateway.CONNECTIONS_MAX + pool.CONNECTIONS_MAX + 1,
    "ingress": website.CONNECTIONS_MAX + ingress.TICKET_CONNECTIONS_MAX + 1,
}


def test_connections_are_those_that_workers_open() -> None:
    table = SCALING.partition("### Connections")[2]
    said = dict(re.findall(r"^\| (\w+)[^|]* \| [^|]+ \| (\d+) \|$", table, re.MULTILINE))
    assert {worker: int(most) for worker, most in said.items()} == CONNECTIONS
    products, total = re.findall(r"^((?:\d+ × \d+(?: \+ )?)+) = (\d+) ", table, re.MULTILINE)[0]
    factors = [(int(workers), int(most)) for workers, most in re.findall(r"(\d+) × (\d+)", products)]
    assert [most for _, most in factors] == list(CONNECTIONS.values())
    assert sum(workers * most for workers, most in factors) == int(total)


def test_a_gateways_signs_of_life_are_as_large_as_is_said() -> None:
    alive = GatewayAlive(workspace="hoa-sen", desk="main", gateway=UUID(int=0).hex)
    record = presence_teller._record(alive)
    batch = DefaultRecordBatchBuilder(2, 0, 1, -1, -1, 0, 100_000)
    for offset in range(10):
        batch.append(offset, 1_795_410_983_756, record.key, record.value, record.headers)
    bytes_each = round(len(batch.build()) / 10)
    a_day = round(4_000 * 86_400 / presence_teller.ALIVE_EVERY_S)
    row = next(line for line in SCALING.splitlines() if line.startswith("| `gateway_alive`"))
    assert f"| {bytes_each} |" in row
    assert row.endswith(f"= {a_day:,} | {a_day * bytes_each / 1e9:.0f} GB |")
