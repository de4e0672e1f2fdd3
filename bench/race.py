"""One contestant's run: it drains the backlog, or as much of it as it can in its time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from time import monotonic
from typing import NamedTuple

from bench import check
from bench.accounts import Accounts, accounts
from bench.arena import Course
from bench.contestants import Contestant
from bench.failures import BenchError
from bench.preload import preload
from bench.program import Program, environment
from bench.progress import Assigned, Offsets, Progress, Rows
from bench.roster import configure_desk, register_pages, write_ring
from bench.workload import Customer, conversations, messages

POLL_S = 0.05
STALL_S = 60.0
"""Without any progress for so long, it has failed."""
_OWNERS = "SELECT count(DISTINCT owner) FROM lane WHERE kind = $1"


@dataclass(frozen=True)
class Run:
    """What came of it.

    The clock runs from the first progress that was seen of all processes, so that starting up is free.
    """

    messages: int
    seconds: float
    accounts: Accounts
    peak_rss_mib: float
    """The peaks of all its processes, added up."""

    @property
    def us_per_message(self) -> Mapping[str, float | None]:
        """Microseconds of processors for a message, by who had them."""
        shares = self.accounts._asdict().items()
        return {name: None if taken is None else 1e6 * taken / self.messages for name, taken in shares}

    @property
    def cpu_us_per_message(self) -> float:
        """Its own."""
        return 1e6 * self.accounts.own / self.messages

    @property
    def messages_per_s(self) -> float:
        return self.messages / self.seconds


@dataclass(frozen=True)
class Backlog:
    """How much there is to drain, and how long a limited contestant may take, in seconds.

    `returning`: customers who were stored before and write again, see bench.workload.
    """

    messages: int
    limit_s: float
    returning: Sequence[Customer] = ()

    @property
    def conversations(self) -> int:
        """How many it begins."""
        return conversations(self.messages, returning=bool(self.returning))


async def race(course: Course, contestant: Contestant, backlog: Backlog) -> Run:
    """Prepare the course, let the contestant run, check its work. Raises BenchError."""
    run = await drain(course, contestant, backlog)
    await _check(course, contestant, backlog)
    return run


async def drain(course: Course, contestant: Contestant, backlog: Backlog) -> Run:
    """The same without the check. Raises BenchError.

    What it leaves in its temporary folder goes with it, however it ended.
    """
    await register_pages(course.connection)
    await (configure_desk(course.settings) if contestant.own_desk else write_ring(course.connection))
    await preload(course.settings, messages(backlog.messages, returning=backlog.returning))
    with TemporaryDirectory(prefix="tongdai-bench-") as scratch:
        told = environment(course.settings) | {"TMPDIR": scratch}
        programs = [Program(name, contestant.arguments, told, course.log_dir) for name in _names(contestant)]
        try:
            run = await _watch(course, contestant, backlog, programs)
        except BaseException:
            await asyncio.gather(*(program.kill() for program in programs))
            raise
        await asyncio.gather(*(program.stop() for program in programs))
    return run


def _names(contestant: Contestant) -> list[str]:
    if contestant.copies == 1:
        return [contestant.name]
    return [f"{contestant.name}-{number}" for number in range(1, contestant.copies + 1)]


async def _watch(
    course: Course, contestant: Contestant, backlog: Backlog, programs: Sequence[Program]
) -> Run:
    progress = _progress(course, contestant)
    try:
        async with Assigned(course.settings) as assigned:
            watch = _Watch(course, programs, progress, assigned, contestant, backlog)
            while True:
                if await watch.over():
                    return watch.run()
                await asyncio.sleep(POLL_S)
    finally:
        await progress.close()


def _progress(course: Course, contestant: Contestant) -> Progress:
    if contestant.group is None:
        return Rows(course.connection)
    return Offsets(course.settings, contestant.group)


class Clocks(NamedTuple):
    """The time, in seconds, and who has had the processors so far."""

    at_s: float
    accounts: Accounts


@dataclass
class _Watch:
    course: Course
    programs: Sequence[Program]
    progress: Progress
    assigned: Assigned
    contestant: Contestant
    backlog: Backlog
    _done: int = 0
    _first: int = 0
    _begun: Clocks | None = None

    def __post_init__(self) -> None:
        self._now = self._look()
        self._moved_at = self._now.at_s

    async def over(self) -> bool:
        """Look once: is it done, or its time up? Raises BenchError when nothing moves any more."""
        done, assigned = await self.progress.done(), await self.assigned.conversations()
        before, now = self._now, self._look()
        moved = done > self._done
        if moved:
            self._moved_at = now.at_s
        self._done, self._now = done, now
        if moved and self._begun is None:
            if done == self.backlog.messages:  # a small backlog at once: since the look before
                self._first, self._begun = 0, before
            elif await self._all_take_part():
                self._first, self._begun = done, now
        if now.at_s - self._moved_at > STALL_S:
            raise BenchError(
                f"{self.contestant.label} stands still at {done} of {self.backlog.messages} messages and "
                f"{assigned} assignments"
            )
        complete = done == self.backlog.messages and assigned == self.backlog.conversations
        return (complete or self._late()) and done > self._first

    async def _all_take_part(self) -> bool:
        """Whether each process has lanes, if there are several."""
        copies, kind = self.contestant.copies, self.contestant.group
        return copies == 1 or copies == await self.course.connection.fetchval(_OWNERS, kind)

    def _late(self) -> bool:
        if not self.contestant.limited or self._begun is None:
            return False
        return self._now.at_s - self._begun.at_s > self.backlog.limit_s

    def _look(self) -> Clocks:
        course = self.course
        postgres = course.connection.get_server_pid()
        return Clocks(monotonic(), accounts(self.programs, postgres, course.kafka_pid))

    def run(self) -> Run:
        """What it took from the first progress to the last."""
        assert self._begun is not None
        return Run(
            messages=self._done - self._first,
            seconds=self._now.at_s - self._begun.at_s,
            accounts=self._now.accounts.since(self._begun.accounts),
            peak_rss_mib=sum(program.peak_rss_mib() for program in self.programs),
        )


async def _check(course: Course, contestant: Contestant, backlog: Backlog) -> None:
    """Limited ones may have been stopped in the middle: their turns and events are checked, not the end."""
    if not contestant.tables:
        await check.check_topics(course.settings, backlog.messages, backlog.conversations)
        return
    if not contestant.limited:
        await check.check_done(course.connection, backlog.messages, backlog.conversations)
    await check.check_turns(course.connection)
    await check.check_events(course.settings, course.connection, stopped_early=contestant.limited)
