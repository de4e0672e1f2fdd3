"""When memory is short no record is to blame: none is refused, the worker ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from workers.runtime.batch import Record
from workers.runtime.lanes import Lane, Lanes
from workers.runtime.store import Store

LANE = 3


def encoding() -> Exception:
    """As asyncpg says that it got no memory for what it should send."""
    error: Exception = asyncpg.DataError("invalid input for query argument $1")
    error.__cause__ = MemoryError()
    return error


@pytest.mark.parametrize("error", [MemoryError(), encoding()])
async def test_a_handler_that_gets_no_memory_refuses_no_record(error: Exception) -> None:
    async def handle(*_: object) -> None:
        raise error

    async def begin(*_: object) -> bool:
        return True

    handler: Any = SimpleNamespace(kind="intake", handle=handle, forget=lambda _: None)
    ledger: Any = SimpleNamespace(begin=begin)
    connection: Any = SimpleNamespace(is_closed=lambda: False)
    lanes = Lanes()
    lanes.hold(Lane(LANE, 7, {"inbound": 0}, 0, confirmed=7))
    record = Record("inbound", LANE, 0, 1_000, b"key", b"value", [])
    with pytest.raises(MemoryError):
        await Store(handler, ledger, lanes, 20, {}).batch(
            connection, "me", [([record], {LANE: {"inbound": 1}})]
        )
