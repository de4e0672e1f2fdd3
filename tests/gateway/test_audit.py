"""The audit of what was refused: nobody fills it, or hides in it what happens to others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from workers.gateway import audit as audits
from workers.gateway.asker import Asker
from workers.gateway.audit import Audit
from workers.gateway.commanding import Commanding
from workers.gateway.identity import Identity
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.problem import ApiError
from workers.gateway.repeats import APART_MAX, ROWS_BURST, STRANGERS_BURST, Refused

ADDRESS = "198.51.100.7"
FLOOD = 10_000
"""From as many addresses."""


class Table:
    """Stands for a pool: keeps the rows that are written, and has old ones."""

    def __init__(self, old: Sequence[int] = ()) -> None:
        self.rows: list[Refused] = []
        self.old = list(old)

    async def execute(self, _: str, *columns: Sequence[Any]) -> None:
        self.rows += [Refused(*row) for row in zip(*columns, strict=True)]

    async def fetchval(self, _: str) -> int:
        return self.old.pop(0) if self.old else 0


def audit_of(table: Table) -> Audit:
    return Audit(table, GatewayMetrics())


async def written(audit: Audit) -> None:
    """All that waits."""
    running = asyncio.create_task(audit.run())
    await asyncio.sleep(0)
    while audit._waiting:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def times(rows: list[Refused]) -> int:
    return sum(row.times for row in rows)


async def test_what_comes_again_and_again_from_an_address_is_one_row() -> None:
    table = Table()
    audit = audit_of(table)
    for number in range(5_000):
        audit.refused(f"shop{number}", f"login:{number}", ADDRESS, "me", "unauthenticated", proven=False)
    await written(audit)
    *own, others = table.rows
    assert len(own) == ROWS_BURST
    assert (others.times, times(table.rows)) == (5_000 - ROWS_BURST, 5_000)
    assert (others.workspace, others.actor, others.address) == ("", "", ADDRESS)


async def test_the_addresses_of_one_network_are_one() -> None:
    table = Table()
    audit = audit_of(table)
    for number in range(200):
        audit.refused("shop", "", f"2001:db8::{number:x}", "me", "unauthenticated", proven=False)
    await written(audit)
    assert len(table.rows) == ROWS_BURST + 1


async def test_whoever_floods_hides_neither_another_s_attempts_nor_his_own_of_another_kind() -> None:
    table = Table()
    audit = audit_of(table)
    for number in range(FLOOD):  # from more addresses than are told apart
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        audit.refused("shop", "", address, "me", "unauthenticated", proven=False)
    audit.refused("shop", "login:lan", ADDRESS, "refresh", "reused", proven=True)
    audit.forbid(Identity("shop", "agent", "lan", "lan"), ADDRESS, "see", "c1")
    assert len(audit._waiting) < STRANGERS_BURST + 100
    await written(audit)
    assert [(row.actor, row.code) for row in table.rows if row.proven] == [
        ("login:lan", "reused"),
        ("agent:shop/lan", "forbidden"),
    ]
    assert times(table.rows) == FLOOD + 2
    assert len(table.rows) < STRANGERS_BURST + 100 + APART_MAX


async def test_who_has_not_proved_who_he_is_pushes_out_nobody_who_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audits, "STRANGERS_WAITING_MAX", 1)
    audit = audit_of(Table())
    for number in range(3):
        audit.refused("shop", f"login:{number}", ADDRESS, "sign-in", "unauthenticated", proven=False)
        audit.refused("shop", f"login:{number}", ADDRESS, "refresh", "reused", proven=True)
    assert [one.proven for one in audit._waiting] == [False, True, True, True]


async def test_who_is_known_by_name_stays_so_however_often_he_is_refused() -> None:
    table = Table()
    audit = audit_of(table)
    for number in range(300):
        audit.forbid(Identity("shop", "agent", "lan", "lan"), ADDRESS, "see", f"c{number}")
    await written(audit)
    last = table.rows[-1]
    assert (last.workspace, last.actor, last.subject, last.times) == (
        "shop",
        "agent:shop/lan",
        "",
        300 - ROWS_BURST,
    )


async def test_a_bulk_of_what_is_others_is_one_row() -> None:
    table = Table()
    audit = audit_of(table)
    nothing: Any = None
    commanding = Commanding(nothing, nothing, nothing, nothing, audit, 1.0, nothing, nothing)
    asker = Asker(Identity("shop", "agent", "lan", "lan"), ADDRESS, "key")
    about = [("take_off", (), str(UUID(int=number))) for number in range(500)]
    with pytest.raises(ApiError) as refused:
        commanding._allow(asker, about)  # type: ignore[arg-type]
    assert len(refused.value.problem.details["subjects"]) == 500
    await written(audit)
    (row,) = table.rows
    assert (row.call, row.code, row.subject, row.times) == ("take_off", "forbidden", str(UUID(int=0)), 500)


async def test_forgetting_goes_on_until_nothing_is_old() -> None:
    table = Table(old=(10_000, 10_000, 17))
    await audit_of(table).forget()
    assert table.old == []
