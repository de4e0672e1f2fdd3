"""Who loses the claim of a lane leaves its new owner in peace, so that it gets to work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from config.settings import Settings
from workers.runtime.back_offs import BackOffs
from workers.runtime.lanes import Lanes
from workers.runtime.ledger import StoredLane
from workers.runtime.loop import Loop
from workers.runtime.protocol import BACK_OFF_FIRST_S, BACK_OFF_LAST_S, Group, Row
from workers.runtime.sessions import Sessions
from workers.runtime.takeover import Takeover

LANE = 3


@dataclass
class Rival:
    """Ledger, term, source and connection of a lane that somebody else always claims first."""

    id: str = "me"
    assigned: frozenset[int] = frozenset({LANE})
    fenced: list[str] = field(default_factory=list)
    claims: int = 0

    async def read(self, _: object, lanes: list[int]) -> dict[int, StoredLane]:
        return {lane: StoredLane(Row(7, {}, f"rival-{self.claims}"), 0) for lane in lanes}

    async def claim(self, *_: object) -> set[int]:
        self.claims += 1
        return set()

    async def fence(self, owner: str) -> None:
        self.fenced.append(owner)

    def get_server_pid(self) -> int:
        return 1


@dataclass
class Stale:
    """Ledger, groups, term, source and connection of a lane that is mine, while its group's offset is old."""

    id: str = "me"
    assigned: frozenset[int] = frozenset({LANE})
    reads: int = 0

    async def read(self, *of: object) -> dict[int, StoredLane | Group]:
        if len(of) == 1:
            self.reads += 1
            return {LANE: Group(6, {})}
        return {LANE: StoredLane(Row(7, {}, None), 0)}

    async def claim(self, *_: object) -> set[int]:
        return {LANE}

    def get_server_pid(self) -> int:
        return 1


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_loser_fences_nobody_until_its_back_off_is_over(clock: Clock) -> None:
    rival = cast("Any", Rival())
    takeover = Takeover(rival, rival, rival, Settings(), {}, BackOffs(clock))
    for _ in range(100):  # as when other lanes are busy: the loop comes round without a pause
        await takeover.attempt(rival, rival, Lanes(), takeover.due([LANE]))
    assert rival.fenced == ["rival-0"]
    clock.now_s += BACK_OFF_FIRST_S
    await takeover.attempt(rival, rival, Lanes(), takeover.due([LANE]))
    assert rival.fenced == ["rival-0", "rival-1"]
    takeover.forget()
    await takeover.attempt(rival, rival, Lanes(), takeover.due([LANE]))
    assert len(rival.fenced) == 3


async def test_a_minute_of_losing_is_few_fences(clock: Clock) -> None:
    rival = cast("Any", Rival())
    takeover = Takeover(rival, rival, rival, Settings(), {}, BackOffs(clock))
    for _ in range(6_000):
        await takeover.attempt(rival, rival, Lanes(), takeover.due([LANE]))
        clock.now_s += 0.01
    assert 60 / BACK_OFF_LAST_S <= len(rival.fenced) <= 2 * 60 / BACK_OFF_LAST_S + 8


async def test_who_waits_for_the_groups_offset_asks_for_it_now_and_then(clock: Clock) -> None:
    stale = cast("Any", Stale())
    takeover = Takeover(stale, stale, stale, Settings(), {}, BackOffs(clock))
    for _ in range(100):
        await takeover.attempt(stale, stale, Lanes(), takeover.due([LANE]))
    assert stale.reads == 1
    clock.now_s += BACK_OFF_FIRST_S
    await takeover.attempt(stale, stale, Lanes(), takeover.due([LANE]))
    assert stale.reads == 2


async def test_a_lane_that_is_left_alone_does_not_make_the_others_wait_to_be_published(clock: Clock) -> None:
    rival = cast("Any", Rival())
    takeover = Takeover(rival, rival, rival, Settings(), {}, BackOffs(clock))
    takeover.back_offs.lose(LANE)
    loop = Loop(
        rival, rival, takeover, rival, Settings(), rival, Sessions("intake", Settings(), rival), {}, {}
    )
    loop._publishing = asyncio.create_task(asyncio.sleep(3600))
    try:
        async with asyncio.timeout(5):
            await loop._take_over()
        assert not loop._publishing.done()
    finally:
        loop._publishing.cancel()


def test_a_lane_is_left_alone_by_itself(clock: Clock) -> None:
    back_offs = BackOffs(clock)
    back_offs.lose(LANE)
    assert not back_offs.over(LANE)
    assert back_offs.over(LANE + 1)
    back_offs.forget(LANE)
    assert back_offs.over(LANE)
