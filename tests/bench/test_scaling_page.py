"""docs/scaling.md calculates with the figures that docs/performance.md has now."""

from __future__ import annotations

import re
from math import ceil
from uuid import UUID

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas.asks import GatewayAlive
from tests.bench.measured import DOCS, MEASURED, cells, number
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

SCALING = (DOCS / "scaling.md").read_text(encoding="utf-8")

STORE_MS, PUBLISH_MS, RECORDS = (round(number(each)) for each in cells("stages", "intake")[1:])
PER_S, _, _, MESSAGE_US, POSTGRES_US, KAFKA_US = cells("throughput", "Tongdai: intake + desk")[1:7]
DESK_PER_S = round(number(PER_S) / 10)
SESSIONS_PER_S = DESK_PER_S / 14
_, LOADED_US, LOADED_POSTGRES_US = cells("desks", "10,000")
_, KNOWN_US, KNOWN_POSTGRES_US = cells("desks", "1")
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
LATE = next(cells for cells in ONE_DESKS if cells[0].startswith("claims that come too late"))
KEPT = next(cells for cells in ONE_DESKS if cells[0].startswith("assignments kept"))


@pytest.mark.parametrize(
    "said",
    [
        f"routing: × {MESSAGE_US} µs",
        f"{MESSAGE_US} µs of the worker's own processor time",
        f"{POSTGRES_US} µs of Postgres's and {KAFKA_US} µs of the broker's",
        f"{MESSAGE_US} of routing's, {POSTGRES_US} of Postgres's, {KAFKA_US} of the broker's",
        f"32 cores carry about {round(32e6 / number(POSTGRES_US), -4):,.0f} messages/s",
        f"**{DESK_PER_S} assignments/s**",
        f"with {DESK_PER_S}: a session of ten messages",
        f"{DESK_PER_S} / 14 = {SESSIONS_PER_S:.0f} sessions a second",
        f"{round(SESSIONS_PER_S * 3_600, -3):,.0f} an hour",
        f"20 sessions an hour is one of {round(SESSIONS_PER_S * 3_600 / 20, -3):,.0f}",
        f"which is decided at {LATE[3]} a second",
        f"took {LOADED_US} µs of the worker's processor instead of {KNOWN_US}",
        f"and {LOADED_POSTGRES_US} µs of Postgres's instead of {KNOWN_POSTGRES_US}",
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
    assert said in " ".join(SCALING.split())


@pytest.mark.parametrize(
    ("cost_us", "of"), [(MESSAGE_US, "messages"), (POSTGRES_US, "messages"), (CLICK_US, "clicks")]
)
def test_what_follows_from_it_is_calculated_right(cost_us: str, of: str) -> None:
    found = re.findall(rf"1 s / {cost_us} µs = ([\d,]+) {of}/s", SCALING)
    assert found
    assert [number(each) for each in found] == pytest.approx([1e6 / number(cost_us)] * len(found), rel=0.02)


def test_as_many_cores_as_that_makes() -> None:
    table = SCALING.partition("As many cores as that makes:")[2].partition("\n\n|")[2].partition("\n\n")[0]
    head, _, *rows = table.splitlines()
    assert re.findall(r"× (\d+) µs", head) == [MESSAGE_US, POSTGRES_US, KAFKA_US]
    for row in rows:
        per_s, routing, workers, postgres, kafka = (cell.split()[0] for cell in row.strip("|").split("|"))
        for said, cost_us in ((routing, MESSAGE_US), (postgres, POSTGRES_US), (kafka, KAFKA_US)):
            cores = number(per_s) * number(cost_us) / 1e6
            assert float(said) == pytest.approx(cores, abs=0.051 if cores > 0.3 else 0.0051)
        assert int(workers) == ceil(number(per_s) * number(MESSAGE_US) / 1e6 / 0.5)


def test_what_all_lanes_together_would_ask_of_postgres() -> None:
    [(workers, each, total)] = re.findall(
        r"(\d+) workers of ([\d,]+) messages/s would be\s([\d,]+) a second", SCALING
    )
    [cores] = re.findall(r"one Postgres would need \[(\d+) cores\]", SCALING)
    assert number(each) == pytest.approx(1e6 / number(MESSAGE_US), rel=0.01)
    assert number(total) == pytest.approx(int(workers) * number(each), rel=0.01)
    assert int(cores) == round(number(total) * number(POSTGRES_US) / 1e6)


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
