"""The agents of one client process: they come, click, and count what reaches them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from random import Random
from typing import Any

from bench.sockets.member import Member, Told

COMING_AT_ONCE = 50


class Group:
    """Agents with sockets; a socket that ends is an error of all that is asked afterwards."""

    def __init__(self) -> None:
        self._members: list[Member] = []
        self._heard: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        """By event and conversation: when it came, in milliseconds after the moment that it names."""
        self._awaited: dict[tuple[str, str], asyncio.Future[None]] = {}
        self._pushes: Counter[str] = Counter()
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def come(self, host: str, port: int, people: Sequence[tuple[str, str]]) -> int:
        """Let those with these names and tokens sign in; a name may come more than once."""
        room = asyncio.Semaphore(COMING_AT_ONCE)

        async def one(member: Member) -> None:
            async with room:
                await member.come(host, port)

        async with asyncio.TaskGroup() as tasks:
            for name, token in people:
                member = Member(name, token, partial(self._take, name), self._fail)
                self._members.append(member)
                tasks.create_task(one(member))
        return len(self._members)

    async def hear(self, event: str, conversation: str) -> list[float]:
        """Wait until each agent was pushed `event` of `conversation`; how late, in milliseconds."""
        place = event, conversation
        while len(self._heard[place]) < len(self._members):
            self._awaited[place] = asyncio.get_running_loop().create_future()
            await self._awaited[place]
        return self._heard.pop(place)

    async def click(
        self, conversations: Sequence[str], race: str, at_s: float, within_s: float, window: int
    ) -> list[Told]:
        """Each agent claims each of `conversations`, beginning within `within_s` after `at_s`.

        At most `window` calls of an agent are under way; the next one goes out with an answer.
        """
        random, told = Random(race), list[Told]()  # noqa: S311 - no secret
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        count = len(self._members) * len(conversations)

        def answered(clicking: Callable[[], None], one: Told) -> None:
            told.append(one)
            clicking()
            if len(told) == count:
                done.set_result(None)

        due = []
        for member in self._members:
            left = deque(random.sample(list(enumerate(conversations)), len(conversations)))
            clicking = _Clicking(member, left, race, answered)
            due.append((at_s + random.uniform(0, within_s), clicking))
        await _begin(sorted(due, key=lambda pair: pair[0]), min(window, len(conversations)))
        await done
        return told

    async def keep_asking(self, conversation: str, run: str, seconds: float, pause_s: float) -> list[Told]:
        """The first agent mutes and unmutes `conversation` all the time, one after the other."""
        member, told = self._members[0], list[Told]()
        ends_s = time.monotonic() + seconds
        while time.monotonic() < ends_s:
            answer: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
            call = "unmute" if len(told) % 2 else "mute"
            member.ask(call, conversation, f"{run}-{len(told)}", answer.set_result)
            told.append(await answer)
            await asyncio.sleep(pause_s)
        return told

    def left(self) -> dict[str, int]:
        """Pushes that nobody waited for, by event."""
        left: Counter[str] = Counter()
        for (event, _), times in self._heard.items():
            left[event] += len(times)
        return dict(left)

    def pushes(self) -> dict[str, int]:
        """What each agent was pushed so far, who got nothing left out."""
        return dict(self._pushes)

    def _take(self, name: str, event: str, data: Mapping[str, Any]) -> None:
        self._pushes[name] += 1
        place = event, data["conversation"]
        heard = self._heard[place]
        heard.append(time.time() * 1000 - _milliseconds(data["at"]))
        if len(heard) >= len(self._members) and (awaited := self._awaited.pop(place, None)):
            awaited.set_result(None)

    def _fail(self, why: str) -> None:
        if not self.failure.done():
            self.failure.set_result(why)


class _Clicking:
    """One agent's clicks, those that are left."""

    def __init__(
        self,
        member: Member,
        left: deque[tuple[int, str]],
        race: str,
        answered: Callable[[Callable[[], None], Told], None],
    ) -> None:
        self._member, self._left, self._race = member, left, race
        self._answered = partial(answered, self.next)

    def next(self) -> None:
        """The next click, if there is one."""
        if self._left:
            number, conversation = self._left.popleft()
            self._member.ask("claim", conversation, f"{self._race}-{number}", self._answered)


async def _begin(due: Iterable[tuple[float, _Clicking]], at_once: int) -> None:
    """Begin each when its time has come."""
    for at_s, clicking in due:
        if (left_s := at_s - time.monotonic()) > 0:
            await asyncio.sleep(left_s)
        for _ in range(at_once):
            clicking.next()


@lru_cache(maxsize=4_096)
def _milliseconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000
