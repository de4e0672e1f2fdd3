"""Who loses the claim of a lane leaves its new owner in peace, so that it gets to work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from config.settings import Settings
from workers.runtime.back_offs import BackOffs
from workers.runtime.lanes import Lanes
from workers.runtime.ledger import StoredLane
from workers.runtime.protocol import BACK_OFF_FIRST_S, BACK_OFF_LAST_S, Row
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
        await takeover.attempt(rival, rival, Lanes(), [LANE])
    assert rival.fenced == ["rival-0"]
    clock.now_s += BACK_OFF_FIRST_S
    await takeover.attempt(rival, rival, Lanes(), [LANE])
    assert rival.fenced == ["rival-0", "rival-1"]
    takeover.forget()
    await takeover.attempt(rival, rival, Lanes(), [LANE])
    assert len(rival.fenced) == 3


async def test_a_minute_of_losing_is_few_fences(clock: Clock) -> None:
    rival = cast("Any", Rival())
    takeover = Takeover(rival, rival, rival, Settings(), {}, BackOffs(clock))
    for _ in range(6_000):
        await takeover.attempt(rival, rival, Lanes(), [LANE])
        clock.now_s += 0.01
    assert 60 / BACK_OFF_LAST_S <= len(rival.fenced) <= 2 * 60 / BACK_OFF_LAST_S + 8


def test_a_lane_is_left_alone_by_itself(clock: Clock) -> None:
    back_offs = BackOffs(clock)
    back_offs.lose(LANE)
    assert not back_offs.over(LANE)
    assert back_offs.over(LANE + 1)
    back_offs.forget(LANE)
    assert back_offs.over(LANE)
