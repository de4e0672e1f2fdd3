"""What is written in one round of the event loop is sent in one piece, and nothing of it is lost."""

from __future__ import annotations

import asyncio
from typing import cast

from workers.channels.joined_writes import WAITING_BYTES_MAX, JoinedWrites


class Transport:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("close")

    def abort(self) -> None:
        self.told.append("abort")

    def write_eof(self) -> None:
        self.told.append("end")

    def is_closing(self) -> bool:
        return not {"close", "abort"}.isdisjoint(map(str, self.told))


def joined() -> tuple[Transport, JoinedWrites]:
    transport = Transport()
    return transport, JoinedWrites(cast("asyncio.Transport", transport), asyncio.get_running_loop())


async def test_head_and_body_are_sent_together() -> None:
    transport, writes = joined()
    writes.write(b"head")
    writes.write(b"body")
    assert transport.told == []
    await asyncio.sleep(0)
    writes.write(b"next")
    await asyncio.sleep(0)
    assert transport.told == [b"headbody", b"next"]


async def test_much_is_not_kept_waiting() -> None:
    transport, writes = joined()
    writes.write(b"x" * WAITING_BYTES_MAX)
    writes.write(b"y")
    assert transport.told == [b"x" * WAITING_BYTES_MAX + b"y"]
    await asyncio.sleep(0)
    assert len(transport.told) == 1


async def test_what_waits_is_sent_before_the_end() -> None:
    transport, writes = joined()
    writes.write(b"last")
    writes.write_eof()
    writes.write(b" words")
    writes.close()
    await asyncio.sleep(0)
    assert transport.told == [b"last", "end", b" words", "close"]


async def test_nothing_is_sent_on_a_connection_that_was_given_up() -> None:
    transport, writes = joined()
    writes.write(b"never")
    writes.abort()
    await asyncio.sleep(0)
    assert transport.told == ["abort"]
    assert writes.is_closing()
