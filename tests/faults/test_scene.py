"""Who is to be hit is there, or in time it is known that nobody is."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from checker.murmur2 import partition_of
from faults import scene
from faults.scene import NobodyError, Scene
from faults.town import DESK_KEY

PARTITIONS = 3
LANE = "desk", partition_of(DESK_KEY.encode(), PARTITIONS)


def a_worker(term: str, *, starts: bool = True, spared: bool = False) -> Any:  # noqa: ANN401 - what of a Worker is used
    """Who has begun this term."""

    async def started(timeout_s: float) -> bool:
        return starts

    return SimpleNamespace(alive=True, terms=lambda: {term}, started=started, spared=spared)


def scene_of(*workers: Any, owner: str | None = None) -> Scene:  # noqa: ANN401
    """One in which these are wanted, and the desk's lane has this owner."""

    async def owners() -> dict[tuple[str, int], str | None]:
        return {LANE: owner, ("intake", LANE[1]): "a-term"}

    fleet = SimpleNamespace(of=lambda _: workers)
    ground: Any = SimpleNamespace(fleet=fleet, owners=owners, partitions={"commands": PARTITIONS})
    nothing: Any = None
    return Scene(ground, Random(1), nothing, nothing, 1)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is waited for long."""
    monkeypatch.setattr(scene, "VICTIM_S", 0.05)
    monkeypatch.setattr(scene, "LOOK_S", 0.001)


async def test_who_decides_is_the_worker_with_the_lane_of_the_towns_desk() -> None:
    other, decider = a_worker("a-term"), a_worker("b-term")
    assert await scene_of(other, decider, owner="b-term").decider() is decider
    with pytest.raises(NobodyError, match="the desk's lane"):
        await scene_of(other, decider, owner=None).decider()


async def test_who_is_spared_is_no_victim() -> None:
    other, spared = a_worker("a-term"), a_worker("b-term", spared=True)
    victims = [await scene_of(other, spared).victim("routing") for _ in range(20)]
    assert all(victim is other for victim in victims)
    with pytest.raises(NobodyError):
        await scene_of(spared).victim("routing")


async def test_where_each_worker_ends_as_soon_as_it_starts_there_is_no_victim() -> None:
    with pytest.raises(NobodyError, match="no routing worker"):
        await scene_of(a_worker("a-term", starts=False)).victim("routing")
    with pytest.raises(NobodyError):
        await scene_of().victim("routing")
