"""What many ask at once is done in one go, and nobody is answered by what was begun before he asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.gateway.together import AT_ONCE_MAX, Together


class Shop:
    """Answers each ask with itself doubled and the number of the go, when it is let."""

    def __init__(self) -> None:
        self.goes: list[tuple[str, list[int]]] = []
        self.open = asyncio.Event()
        self.failing = False

    async def do(self, place: str, asks: Sequence[int]) -> list[tuple[int, int]]:
        self.goes.append((place, list(asks)))
        number = len(self.goes)
        await self.open.wait()
        if self.failing:
            raise ConnectionError(place)
        return [(2 * ask, number) for ask in asks]


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_what_comes_while_one_go_is_under_way_is_done_together_in_its_order(asks: list[int]) -> None:
    async def run() -> None:
        shop = Shop()
        together = Together(shop.do)
        first = together.ask("a", 100)
        await _settle()
        others = [together.ask("a", ask) for ask in asks]
        await _settle()
        assert shop.goes == [("a", [100])]
        shop.open.set()
        assert await first == (200, 1)
        assert await asyncio.gather(*others) == [(2 * ask, 2) for ask in asks]
        assert shop.goes[1:] == [("a", asks)]

    asyncio.run(run())


async def test_places_do_not_wait_for_each_other() -> None:
    shop = Shop()
    together = Together(shop.do)
    waiting = [together.ask(place, 1) for place in ("a", "b")]
    await _settle()

    assert [place for place, _ in shop.goes] == ["a", "b"]
    shop.open.set()
    await asyncio.gather(*waiting)


async def test_one_go_takes_no_more_than_so_many() -> None:
    shop = Shop()
    shop.open.set()
    together = Together(shop.do)

    await asyncio.gather(*(together.ask("a", number) for number in range(2 * AT_ONCE_MAX + 1)))

    assert [len(asks) for _, asks in shop.goes] == [AT_ONCE_MAX, AT_ONCE_MAX, 1]


async def test_a_failure_is_raised_to_all_of_its_go_and_to_nobody_after_it() -> None:
    shop = Shop()
    together = Together(shop.do)
    shop.failing = True
    failing = [together.ask("a", number) for number in range(2)]
    await _settle()
    shop.open.set()
    for task in failing:
        with pytest.raises(ConnectionError):
            await task
    shop.failing = False

    assert (await together.ask("a", 7))[0] == 14


async def test_who_goes_away_leaves_the_others_their_answers() -> None:
    shop = Shop()
    together = Together(shop.do)
    gone, stays = (together.ask("a", number) for number in range(2))
    await _settle()
    gone.cancel()
    shop.open.set()

    assert (await stays)[0] == 2
    with pytest.raises(asyncio.CancelledError):
        await gone
