"""The gateway's benchmark, in small: whoever is told something wrong stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.arena import Course
from bench.failures import BenchError
from bench.gateway import GatewayPlan, run_floor, run_ours
from bench.sockets.judging import Times
from bench.sockets.member import Told
from bench.sockets.wire import Wire

PLAN = GatewayPlan(agents=8, conversations=3, floor_conversations=2, idle=16, processes=1, beside_s=0.3)


@pytest.mark.servers
async def test_a_few_agents_race_are_told_and_are_timed(course: Course) -> None:
    said: list[str] = []

    ours = await run_ours(course, PLAN, said.append)

    races = ours.raced.races
    assert len(races.winners) == len(races.last_losers) == PLAN.conversations
    assert ours.raced.clicks == PLAN.agents * PLAN.conversations
    assert len(ours.raced.offers_ms) >= PLAN.agents * PLAN.conversations
    assert min(*races.winners, *ours.raced.offers_ms, *ours.quiet_ms, *ours.disturbed_ms) > 0
    assert ours.idle.with_them_mib >= ours.idle.before_mib > 0
    assert "the topics say what the agents were told" in said


@pytest.mark.servers
async def test_the_floor_does_the_same_races(course: Course) -> None:
    floor = await run_floor(course, PLAN)

    assert len(floor.races.winners) == PLAN.floor_conversations
    assert floor.clicks == PLAN.agents * PLAN.floor_conversations


def _told(agent: str, code: str, **more: object) -> Told:
    return Told(agent, "k", "c", 1.0, 1.5, 409, code, "lan", 3, 0)._replace(**more)  # type: ignore[arg-type]


RIGHT = [_told("lan", "done", winner=None), _told("minh", "taken", told_s=1.25), _told("nga", "taken")]


def test_a_right_race_is_timed() -> None:
    times = Times()

    times.add(RIGHT, ["c"], 3)

    assert (times.winners, times.last_losers, times.spreads) == ([500.0], [500.0], [0.0])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told[:2],
        lambda told: [*told, told[0]],
        lambda told: [told[0], told[0]._replace(agent="minh"), told[2]],
        lambda told: [told[1]._replace(agent="lan"), *told[1:]],
        lambda told: [*told[:2], told[2]._replace(winner="minh")],
        lambda told: [*told[:2], told[2]._replace(earlier_ms=None)],
        lambda told: [*told[:2], told[2]._replace(code="not_listed")],
        lambda told: [*told, told[0]._replace(conversation="another")],
    ],
    ids=["missing", "twice", "two win", "none wins", "wrong winner", "no time", "other code", "other one"],
)
def test_a_race_in_which_somebody_was_told_something_wrong_has_no_figures(
    spoil: Callable[[list[Told]], list[Told]],
) -> None:
    with pytest.raises(BenchError):
        Times().add(spoil(list(RIGHT)), ["c"], 3)


@given(st.lists(st.binary(max_size=70_000), max_size=6), st.data())
def test_a_wire_hears_whole_messages_however_they_come(texts: list[bytes], data: st.DataObject) -> None:
    async def run() -> list[bytes]:
        heard: list[bytes] = []
        wire = Wire("host", "/", heard.append, lambda _: None, {})
        stream = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + b"".join(map(_frame, texts))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            wire.data_received(stream[start:end])
        assert wire.opened.done()
        return heard

    assert asyncio.run(run()) == texts


def _frame(text: bytes) -> bytes:
    size = len(text)
    if size < 126:
        return bytes((0x81, size)) + text
    return (b"\x81\x7e" + size.to_bytes(2) if size < 65_536 else b"\x81\x7f" + size.to_bytes(8)) + text
