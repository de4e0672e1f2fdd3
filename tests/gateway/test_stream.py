"""A client that hops between gateways, each as far in the log as it happens to be, sees each notice once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Kind, headers
from workers.gateway import roster, stream
from workers.gateway.connection import Connection
from workers.gateway.hub import Hub
from workers.gateway.identity import Identity
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.notices import Noted, noted
from workers.gateway.positions import decode, encode
from workers.gateway.recent import Recent
from workers.gateway.replay import Replay, TooOldError
from workers.gateway.roster import Roster
from workers.gateway.stream import Stream

PARTITIONS = 3
NOW_MS = int(time.time() * 1000)
LAN = Identity("shop", "agent", "lan", "lan")
KIND = Kind("notifications", "message")


def record(partition: int, offset: int, agent: str) -> Any:  # noqa: ANN401 - as aiokafka's
    named = headers(KIND, id_="1", source="t", subject="s", time="2026-11-22T08:00:00Z")
    value = orjson.dumps({"partition": partition, "offset": offset})
    key = f"agent:shop/{agent}".encode()
    return SimpleNamespace(
        partition=partition, offset=offset, headers=named, key=key, value=value, timestamp=NOW_MS
    )


class Log:
    """The topic, and reading from it what memory has no more."""

    def __init__(self, agents: Sequence[Sequence[str]]) -> None:
        self.records = [
            # Offsets have holes, where transactions end.
            [record(partition, 2 * number, agent) for number, agent in enumerate(column)]
            for partition, column in enumerate(agents)
        ]

    async def read(self, since: Sequence[int], to: Sequence[int]) -> AsyncIterator[Noted]:
        for partition, records in enumerate(self.records):
            for one in records:
                if since[partition] <= one.offset < to[partition]:
                    found = noted(one)
                    assert found is not None
                    yield found

    async def ends(self, count: int) -> list[int]:
        return [2 * len(records) for records in self.records[:count]]


class Rosters:
    """Nobody was removed."""

    async def of(self, _: str) -> Roster:
        return Roster({}, [], [], [])


class Server:
    """A gateway's stream, and how far it is in the log."""

    def __init__(self, log: Log, memory_bytes: int) -> None:
        self.log = log
        self.hub = Hub(10, 10)
        replay, rosters = cast("Replay", log), cast("roster.Rosters", Rosters())
        self.stream = Stream(self.hub, rosters, replay, GatewayMetrics())
        self.stream.start([0] * PARTITIONS)
        self.stream._recent = Recent([0] * PARTITIONS, memory_bytes)
        self.taken = [0] * PARTITIONS

    async def take(self, partition: int) -> None:
        records = self.log.records[partition][self.taken[partition] :][:1]
        await self.stream.take(records)
        self.taken[partition] += len(records)


class Phone:
    """A client, whose connection may break with something in it that it has not read."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []
        self.resets = 0
        self.last: str | None = None
        self.connection: Connection | None = None
        self.server: Server | None = None

    async def hop(self, server: Server) -> None:
        if self.server is not None and self.connection is not None:
            self.server.hub.remove(self.connection)
        self.server = server
        self.connection = Connection(LAN, "", None, 1_000_000, lambda _: None)
        await server.stream.join(self.connection, self.last)

    async def read(self, count: int) -> None:
        while self.connection is not None and self.connection.waiting_bytes and count:
            said = orjson.loads(await self.connection.next() or "")
            self.resets += said["event"] == "reset"
            self.last = said["id"]
            count -= 1
            if said["event"] == "message":
                self.seen.append((said["data"]["partition"], said["data"]["offset"]))


columns = st.lists(st.sampled_from(["lan", "minh"]), max_size=12)
steps = st.one_of(
    st.tuples(st.just("take"), st.integers(0, 1), st.integers(0, PARTITIONS - 1)),
    st.tuples(st.just("hop"), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("read"), st.integers(0, 4), st.just(0)),
)


@given(
    st.lists(columns, min_size=PARTITIONS, max_size=PARTITIONS),
    st.lists(steps, max_size=60),
    st.sampled_from([0, 700, 1_000_000]),
)
async def test_nothing_is_missed_and_nothing_seen_twice(
    agents: list[list[str]], acts: list[tuple[str, int, int]], memory_bytes: int
) -> None:
    log, phone = Log(agents), Phone()
    servers = [Server(log, memory_bytes), Server(log, 1_000_000)]
    await phone.hop(servers[0])
    await phone.read(1)
    for what, which, partition in acts:
        if what == "take":
            await servers[which].take(partition)
        elif what == "hop":
            await phone.hop(servers[which])
        else:
            await phone.read(which)
    await phone.hop(servers[1])
    for partition, column in enumerate(agents):
        for _ in column:
            await servers[1].take(partition)
    await phone.read(1_000)
    expected = [
        (one.partition, one.offset) for column in log.records for one in column if one.key.endswith(b"/lan")
    ]
    assert (sorted(phone.seen), phone.resets) == (expected, 0)
    assert all(_ordered(phone.seen, partition) for partition in range(PARTITIONS))


async def _comes_from_afar(phone: Phone, log: Log, monkeypatch: pytest.MonkeyPatch) -> Server:
    """To a gateway that has read nothing yet, from one that has read all; returns the former."""
    monkeypatch.setattr(stream, "AHEAD_MAX", 5)
    ahead, behind = Server(log, 1_000_000), Server(log, 1_000_000)
    await phone.hop(ahead)
    for _ in log.records[0]:
        await ahead.take(0)
    await phone.read(1_000)
    await phone.hop(behind)
    return behind


async def test_a_gateway_that_stood_still_shows_nobody_again_what_another_has_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, phone = Log([["lan"] * 8, [], []]), Phone()
    behind = await _comes_from_afar(phone, log, monkeypatch)
    for _ in log.records[0]:
        await behind.take(0)
    await phone.read(1_000)
    assert (phone.seen, phone.resets) == ([(0, 2 * number) for number in range(8)], 0)


async def test_who_is_beyond_the_ends_of_the_topic_speaks_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, phone = Log([["lan"] * 8, [], []]), Phone()
    monkeypatch.setattr(Log, "ends", AsyncMock(return_value=[4, 0, 0]))
    await _comes_from_afar(phone, log, monkeypatch)
    await phone.read(1)
    assert phone.resets == 1


async def test_who_has_to_load_anew_is_not_shown_again_what_he_is_ahead_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, phone = Log([["lan"] * 2, ["lan"] * 4, []]), Phone()
    server = Server(log, 0)
    monkeypatch.setattr(Log, "read", _too_old)
    await server.take(0)
    await server.take(0)
    phone.last = encode([0, 4, 0])
    await phone.hop(server)
    await phone.read(1)
    assert decode(phone.last)[1] == 4
    for _ in range(4):
        await server.take(1)
    await phone.read(1_000)
    assert (phone.resets, phone.seen) == (1, [(1, 4), (1, 6)])


async def _too_old(*_: object) -> AsyncIterator[Noted]:
    nothing: list[Noted] = []
    for one in nothing:
        yield one
    raise TooOldError


def _ordered(seen: list[tuple[int, int]], partition: int) -> bool:
    offsets = [offset for number, offset in seen if number == partition]
    return offsets == sorted(offsets)
