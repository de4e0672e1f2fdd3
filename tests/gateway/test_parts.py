"""The small parts: event ids, presence, what waits for a client, who waits for an outcome, origins."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.topics import NOTIFICATIONS
from schemas.outcomes import Done
from workers.channels.closing import Closing
from workers.gateway.asker import Asker, Sent
from workers.gateway.client_messages import DoCall
from workers.gateway.connection import SLOW, Connection
from workers.gateway.identity import Identity
from workers.gateway.notices import Noted
from workers.gateway.origins import is_allowed
from workers.gateway.positions import decode, encode
from workers.gateway.presence import Presences, Seen, presence
from workers.gateway.recent import Recent
from workers.gateway.socket_calls import SocketCalls
from workers.gateway.waiting import Request, Waiting

LAN = ("shop", "lan")
SHA = "a" * 64
NOW_MS = int(time.time() * 1000)


@given(st.lists(st.integers(0, 2**62), max_size=48))
def test_an_event_id_says_what_was_put_into_it(offsets: list[int]) -> None:
    assert decode(encode(offsets)) == tuple(offsets)


@given(st.text(max_size=50))
def test_what_is_no_event_id_is_told(word: str) -> None:
    try:
        offsets = decode(word)
    except ValueError:
        return
    assert all(offset >= 0 for offset in offsets)


@given(
    st.integers(0, 2),
    st.floats(0, 1_000),
    st.floats(0, 1_000),
    st.floats(0, 1_000),
)
def test_presence_follows_from_what_was_seen(
    connections: int, active_s: float, left_s: float, now_s: float
) -> None:
    what = presence(Seen(connections, active_s, left_s), now_s, idle_s=300, grace_s=15)
    assert (what == "offline") == (not connections and now_s - left_s >= 15)
    if what == "online":
        assert now_s - active_s < 300


def test_a_reload_is_no_going_and_several_tabs_are_one_person() -> None:
    presences = Presences(idle_s=300, grace_s=15)
    presences.came(LAN, 0)
    presences.came(LAN, 1)
    presences.went(LAN, 2)
    assert presences.now(60) == {LAN: "online"}
    presences.went(LAN, 60)
    assert presences.now(70) == {LAN: "online"}
    presences.came(LAN, 71)
    assert presences.now(80) == {LAN: "online"}
    assert presences.now(371) == {LAN: "away"}
    presences.active(LAN, 372)
    assert presences.now(372) == {LAN: "online"}
    presences.went(LAN, 372)
    assert presences.now(387) == {LAN: "offline"}
    assert presences.now(388) == {}


def connection(bytes_max: int = 100) -> tuple[Connection, list[Closing]]:
    cuts: list[Closing] = []
    return Connection(Identity("shop", "agent", "lan"), "", None, bytes_max, cuts.append), cuts


async def test_who_does_not_read_is_cut_off_once_and_keeps_nothing() -> None:
    slow, cuts = connection()
    for _ in range(20):
        slow.send("x" * 30)
    assert cuts == [SLOW]
    assert await slow.next() is None


async def test_what_is_held_comes_after_what_was_missed_and_counts_against_the_limit() -> None:
    client, cuts = connection()
    client.held = []
    client.notify("new")
    client.send("missed")
    client.release()
    assert [await client.next(), await client.next()] == ["missed", "new"]
    client.held = []
    client.notify("x" * 200)
    assert cuts == [SLOW]


async def test_a_replay_waits_for_its_client() -> None:
    client, cuts = connection()
    client.send("x" * 60)
    waiting = asyncio.create_task(client.until_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await client.next()
    await asyncio.wait_for(waiting, 5)
    assert cuts == []


async def test_a_replay_does_not_wait_for_what_comes_behind_it() -> None:
    client, cuts = connection()
    client.held = []
    client.notify("x" * 60)
    client.send("missed")
    waiting = asyncio.create_task(client.until_room())
    assert await client.next() == "missed"
    await asyncio.wait_for(waiting, 5)
    client.send("missed, too")
    client.release()
    assert [await client.next(), await client.next()] == ["missed, too", "x" * 60]
    assert cuts == []


def test_memory_forgets_the_oldest_and_says_so() -> None:
    recent = Recent([10, 20], bytes_max=1_000)
    for offset in range(10, 20):
        recent.add(Noted(0, offset, "agent:s/a", "message", "x" * 50, NOW_MS))
    recent.add(Noted(1, 25, "agent:s/a", "message", "{}", NOW_MS))
    assert not recent.has_all_since([10, 20])
    oldest = next(iter(recent.since([0, 0]))).offset
    assert recent.has_all_since([oldest, 20])
    assert [one.offset for one in recent.since([18, 30])] == [18, 19]


def test_memory_keeps_nothing_that_the_topic_has_no_more() -> None:
    """A customer who is erased is gone from the topic after its retention: there is room for a year here."""
    assert NOTIFICATIONS.retention_ms is not None
    now_ms = NOW_MS
    recent = Recent([10, 20], now_ms=lambda: now_ms)

    def add(partition: int, offset: int) -> None:
        recent.add(Noted(partition, offset, "agent:s/a", "message", "{}", now_ms))

    add(0, 10)
    add(1, 22)
    now_ms += NOTIFICATIONS.retention_ms // 2
    add(0, 12)
    assert recent.has_all_since([10, 20])
    now_ms += NOTIFICATIONS.retention_ms // 2 + 1
    assert not recent.has_all_since([10, 23])  # on reading
    assert recent.has_all_since([11, 23])
    assert [one.offset for one in recent.since([0, 0])] == [12]
    now_ms += NOTIFICATIONS.retention_ms
    add(1, 30)  # on adding
    assert [one.offset for one in recent._kept] == [30]


def test_who_fails_to_send_waits_for_nothing() -> None:
    waiting = Waiting()
    with pytest.raises(ConnectionError), waiting.for_key("agent:shop/lan", "k"):
        raise ConnectionError
    assert not waiting.concerns(b"agent:shop/lan")


async def test_a_call_of_a_socket_that_ends_at_once_is_forgotten() -> None:
    waiting = Waiting()
    lan, _ = connection()

    async def send(asker: Asker, *_: object) -> Sent:
        actor, request = asker.identity.actor, Request("claim", SHA)
        waiter = waiting.for_key(actor, asker.key)
        return Sent("shop", frozenset(), actor, asker.key, request, None, waiter)

    gateway = SimpleNamespace(commanding=SimpleNamespace(conversation=send), active=lambda _: None)
    calls = SocketCalls(cast("Any", gateway), lan, "")
    place = UUID("018f0000-0000-7000-8000-000000000001")
    await calls.begin(DoCall(do="call", id="1", idempotency_key="k", call="claim", conversation=place), 0.0)
    calls.end()  # before its task has taken a step
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.concerns(lan.identity.actor.encode())


async def test_an_outcome_reaches_its_own_request_only() -> None:
    waiting = Waiting()
    mine, other = (waiting.for_key("agent:shop/lan", key) for key in ("k", "other"))
    with closing(mine), closing(other):
        assert waiting.concerns(b"agent:shop/lan")
        for command in ("release", "claim"):
            waiting.tell(_done(command))
        found = await asyncio.wait_for(mine.outcome(Request("claim", SHA)), 5)
        assert found.command == "claim"
    assert not waiting.concerns(b"agent:shop/lan")


def _done(command: str) -> Done:
    told = {"workspace": "shop", "desk": "main", "actor": "agent:shop/lan", "idempotency_key": "k"}
    at = "2026-11-22T08:00:00Z"
    return Done.model_validate({**told, "command": command, "request_sha256": SHA, "at": at})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("https://chat.example.com", True),
        ("https://console.example.com", True),
        ("https://evil.example.com", False),
        ("https://chat.example.com.evil.example", False),
        ("null", False),
        ("http://[", False),
        ("https://", False),
        ("", False),
    ],
)
def test_a_browser_connects_from_our_pages_only(origin: str | None, allowed: bool) -> None:
    assert is_allowed(origin, "chat.example.com", ("https://console.example.com",)) == allowed
    if not allowed:
        assert not is_allowed(origin, "", ())
        assert not is_allowed(origin, None, ())


@given(st.text(), st.text())
def test_an_origin_may_be_any_text(origin: str, host: str) -> None:
    assert not is_allowed(origin, host, ()) or host in origin
