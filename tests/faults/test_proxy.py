"""A wire carries what it is given, until it is told to do worse."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.proxy import Lost, Trap, Way, Wire
from faults.requests import KafkaRequests, PostgresRequests
from tests.idle_time import in_idle_time
from workers.local.ports import LOOPBACK
from workers.runtime.ledger import _BEGIN

SOON_S = 90.0
STARTUP = (8 + 6).to_bytes(4) + (196608).to_bytes(4) + b"user\0\0"
A_BATCH = _BEGIN.format("'desk'", "'a term'", "'[]'").encode()
WANTS_TLS = (8).to_bytes(4) + (80877103).to_bytes(4)

Talk = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that answers each line with itself, and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.gone = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(line)
        except ConnectionResetError:
            return
        finally:
            self.gone.set()
            writer.close()


class Lines:
    """Every line is a request of its name."""

    def feed(self, chunk: bytes) -> list[str]:
        return chunk.decode().split()


@asynccontextmanager
async def wired() -> AsyncIterator[tuple[Wire, Echo, Talk]]:
    """An echo at the other end of a wire, and a connection to it."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, LOOPBACK, 0)
    wire = Wire(server.sockets[0].getsockname()[1], Lines, random.Random(1))
    await wire.open()
    talk = await asyncio.open_connection(LOOPBACK, wire.port)
    try:
        async with asyncio.timeout(SOON_S):
            yield wire, echo, talk
    finally:
        talk[1].close()
        await wire.close()
        server.close()


async def said(talk: Talk, line: bytes) -> bytes:
    """What comes back; empty when the connection was closed."""
    talk[1].write(line)
    return await talk[0].readline()


async def test_a_good_wire_carries_both_ways_and_tells_both_ends_of_the_end() -> None:
    async with wired() as (wire, echo, talk):
        assert await said(talk, b"hello\n") == b"hello\n"
        [connection] = wire.connections
        assert connection.port_here == talk[1].get_extra_info("sockname")[1]
        talk[1].close()
        await echo.gone.wait()


@in_idle_time
async def test_a_slow_wire_delivers_late_and_in_order() -> None:
    async with wired() as (wire, _, talk):
        wire.delay(0.05, 0.1)
        began_s = asyncio.get_running_loop().time()
        for number in range(20):
            talk[1].write(b"%d\n" % number)
            await asyncio.sleep(0)
        assert [await talk[0].readline() for _ in range(20)] == [b"%d\n" % number for number in range(20)]
        assert asyncio.get_running_loop().time() - began_s >= 0.05
        assert wire.delayed > 1


@pytest.mark.parametrize("way", list(Way))
async def test_what_meets_silence_arrives_when_it_ends(way: Way) -> None:
    async with wired() as (wire, echo, talk):
        wire.silence(way)
        reply = asyncio.create_task(said(talk, b"late\n"))
        while not wire.held:
            await asyncio.sleep(0.001)
        assert echo.heard == ([] if way is Way.UP else [b"late\n"])
        assert not reply.done()
        wire.heal()
        assert await reply == b"late\n"


async def test_what_was_sent_before_its_sender_went_arrives_after_the_silence() -> None:
    async with wired() as (wire, echo, talk):
        wire.silence(*Way)
        talk[1].write(b"my last words\n")
        while not wire.held:
            await asyncio.sleep(0.001)
        talk[1].transport.abort()
        assert echo.heard == []
        wire.heal()
        await echo.gone.wait()
        assert echo.heard == [b"my last words\n"]


async def test_a_narrow_wire_takes_its_time_for_each_byte_until_it_is_healed() -> None:
    async with wired() as (wire, _, talk):
        wire.throttle(1_000)
        began = time.monotonic()
        assert await said(talk, b"x" * 49 + b"\n") == b"x" * 49 + b"\n"
        assert time.monotonic() - began >= 0.1  # fifty bytes there, fifty back
        assert wire.delayed == 2
        wire.heal()
        assert await said(talk, b"hello\n") == b"hello\n"
        assert wire.delayed == 2


async def test_a_reset_reaches_both_ends() -> None:
    async with wired() as (wire, echo, talk):
        assert await said(talk, b"hello\n") == b"hello\n"
        assert wire.reset() == 1
        with pytest.raises(ConnectionResetError):
            await talk[0].readline()
        await echo.gone.wait()


async def test_only_who_sends_learns_that_his_connection_is_forgotten() -> None:
    async with wired() as (wire, echo, talk):
        assert await said(talk, b"hello\n") == b"hello\n"
        assert wire.forget() == 1
        with pytest.raises(ConnectionResetError):
            await said(talk, b"anybody there?\n")
        assert echo.heard == [b"hello\n"]
        assert wire.forgotten == 1
        assert not echo.gone.is_set()


async def test_what_is_forgotten_ends_with_the_wire_though_nobody_has_noticed_it() -> None:
    async with wired() as (wire, echo, talk):
        wire.silence(Way.DOWN)
        reply = asyncio.create_task(said(talk, b"hello\n"))
        while not wire.held:
            await asyncio.sleep(0.001)
        [connection] = wire.connections
        wire.forget()
        wire.heal()
        await echo.gone.wait()
        talk[1].close()
        assert await reply == b""
        while wire.connections:
            await asyncio.sleep(0.001)
    assert connection._here[1].is_closing()


async def test_a_lost_reply_is_of_a_request_that_was_heard() -> None:
    async with wired() as (wire, echo, talk):
        trap = Trap("commit", Lost.REPLY)
        wire.set(trap)
        assert await said(talk, b"hello\n") == b"hello\n"
        with pytest.raises(ConnectionResetError):
            await said(talk, b"commit\n")
        assert trap.sprung.is_set()
        assert echo.heard == [b"hello\n", b"commit\n"]


async def test_a_lost_request_is_never_heard_nor_is_what_follows_it() -> None:
    async with wired() as (wire, echo, talk):
        wire.set(Trap("commit", Lost.REQUEST, quiet_s=0.05))
        talk[1].write(b"commit\n")
        while wire.connections and not echo.gone.is_set():
            talk[1].write(b"more\n")
            await asyncio.sleep(0.01)
        assert echo.heard == []


async def test_a_request_that_only_loses_time_is_heard_when_the_wire_is_healed_and_in_its_order() -> None:
    async with wired() as (wire, echo, talk):
        talk[1].write(b"begin\n")
        assert await wire.catches(Trap("begin", Lost.TIME), SOON_S)
        talk[1].write(b"commit\n")
        assert echo.heard == []
        wire.heal()
        assert [await talk[0].readline() for _ in range(2)] == [b"begin\n", b"commit\n"]


async def test_a_trap_that_nothing_falls_into_in_time_is_gone() -> None:
    async with wired() as (wire, _, talk):
        assert not await wire.catches(Trap("begin", Lost.REQUEST), 0.01)
        assert await said(talk, b"begin\n") == b"begin\n"


async def test_a_trap_takes_one_request_only() -> None:
    async with wired() as (wire, _, talk):
        wire.set(Trap("commit", Lost.REPLY))
        with pytest.raises(ConnectionResetError):
            await said(talk, b"commit\n")
        again = await asyncio.open_connection(LOOPBACK, wire.port)
        assert await said(again, b"commit\n") == b"commit\n"
        again[1].close()


async def test_where_no_server_listens_nobody_is_let_in() -> None:
    server = await asyncio.start_server(Echo().serve, LOOPBACK, 0)
    wire = Wire(server.sockets[0].getsockname()[1], Lines, random.Random(1))
    server.close()
    await server.wait_closed()
    await wire.open()
    async with asyncio.timeout(SOON_S):
        reader, writer = await asyncio.open_connection(LOOPBACK, wire.port)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
    await wire.close()


def kafka_request(api_key: int, size: int) -> bytes:
    body = api_key.to_bytes(2) + bytes(size)
    return len(body).to_bytes(4) + body


@given(
    requests=st.lists(st.tuples(st.sampled_from((0, 1, 3, 26, 28)), st.integers(0, 300)), max_size=12),
    size=st.integers(1, 200),
)
def test_kafkas_requests_are_seen_however_they_are_cut(requests: list[tuple[int, int]], size: int) -> None:
    sent = b"".join(kafka_request(*request) for request in requests)
    reader = KafkaRequests()
    found = [name for at in range(0, len(sent), size) for name in reader.feed(sent[at : at + size])]
    names = {0: "produce", 26: "end_txn", 28: "offsets"}
    assert found == [names[key] for key, _ in requests if key in names]


@given(
    texts=st.lists(
        st.sampled_from((b"SELECT 'COMMIT;'", b"COMMIT;", b"BEGIN; SELECT", A_BATCH, b"ROLLBACK")),
        max_size=12,
    ),
    size=st.integers(1, 80),
    tls=st.booleans(),
)
def test_begins_and_commits_are_seen_however_they_are_cut(texts: list[bytes], size: int, tls: bool) -> None:
    statements = b"".join(b"Q" + (len(text) + 5).to_bytes(4) + text + b"\0" for text in texts)
    sent = (WANTS_TLS if tls else b"") + STARTUP + statements
    reader = PostgresRequests()
    found = [name for at in range(0, len(sent), size) for name in reader.feed(sent[at : at + size])]
    names = {b"COMMIT;": ["commit"], b"BEGIN; SELECT": ["begin"], A_BATCH: ["begin", "begin desk"]}
    assert found == [name for text in texts for name in names.get(text, ())]
