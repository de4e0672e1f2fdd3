"""What many ask at once is done in one go: while one is under way, the next ones gather."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

AT_ONCE_MAX = 500
"""Of one go."""

Place = TypeVar("Place", bound=Hashable)
Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class Together(Generic[Place, Ask, Answer]):
    """What is of one place is done together; places do not wait for each other.

    Nothing that was begun before somebody asked answers him, so he sees whatever was there when he asked.

    Args:
        do: the answers to some asks of one place, in their order; what it raises is raised to all of them.
    """

    def __init__(self, do: Callable[[Place, Sequence[Ask]], Awaitable[Sequence[Answer]]]) -> None:
        self._do = do
        self._gatherings: WeakValueDictionary[Place, _Gathering[Ask, Answer]] = WeakValueDictionary()
        """Each lives as long as somebody waits in it."""

    def ask(self, place: Place, ask: Ask) -> asyncio.Future[Answer]:
        """The answer to this one, to be awaited."""
        gathering = self._gatherings.get(place)
        if gathering is None:
            gathering = self._gatherings[place] = _Gathering(partial(self._do, place))
        return gathering.ask(ask)


class _Gathering(Generic[Ask, Answer]):
    def __init__(self, do: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer]]]) -> None:
        self._do = do
        self._waiting: deque[tuple[Ask, asyncio.Future[Answer]]] = deque()
        self._doing: asyncio.Task[None] | None = None

    def ask(self, ask: Ask) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, future))
        if self._doing is None:
            self._doing = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = min(AT_ONCE_MAX, len(self._waiting))
                await self._go([self._waiting.popleft() for _ in range(count)])
        finally:
            self._doing = None

    async def _go(self, asked: Sequence[tuple[Ask, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._do([ask for ask, _ in asked])
        except asyncio.CancelledError:
            for _, future in asked:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - raised to who asked
            for _, future in asked:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(asked, answers, strict=True):
            if not future.done():  # he may have gone
                future.set_result(answer)
