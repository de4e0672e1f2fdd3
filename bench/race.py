"""One contestant's run: it drains the backlog, or as much of it as it can in its time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic

from bench import check
from bench.arena import Course
from bench.contestants import Contestant
from bench.failures import BenchError
from bench.preload import preload
from bench.program import Program, environment
from bench.progress import Assigned, Offsets, Progress, Rows
from bench.roster import configure_desk, register_pages, write_ring
from bench.workload import conversations, messages

POLL_S = 0.05
STALL_S = 60.0
"""Without any progress for so long, it has failed."""


@dataclass(frozen=True)
class Run:
    """What came of it. The clock runs from the first progress that was seen, so that starting up is free."""

    messages: int
    seconds: float
    cpu_s: float
    """Processor time of its own process, not of the servers."""
    peak_rss_mib: float

    @property
    def cpu_us_per_message(self) -> float:
        return 1e6 * self.cpu_s / self.messages

    @property
    def messages_per_s(self) -> float:
        return self.messages / self.seconds


@dataclass(frozen=True)
class Backlog:
    """How much there is to drain, and how long a limited contestant may take, in seconds."""

    messages: int
    limit_s: float


async def race(course: Course, contestant: Contestant, backlog: Backlog) -> Run:
    """Prepare the course, let the contestant run, check its work. Raises BenchError."""
    await register_pages(course.connection)
    await (configure_desk(course.settings) if contestant.own_desk else write_ring(course.connection))
    await preload(course.settings, messages(backlog.messages))
    program = Program(contestant.name, contestant.arguments, environment(course.settings), course.log_dir)
    try:
        run = await _watch(course, contestant, backlog, program)
    except BaseException:
        await program.kill()
        raise
    await program.stop()
    await _check(course, contestant, backlog)
    return run


async def _watch(course: Course, contestant: Contestant, backlog: Backlog, program: Program) -> Run:
    progress = _progress(course, contestant)
    try:
        async with Assigned(course.settings) as assigned:
            watch = _Watch(program, progress, assigned, contestant, backlog)
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


@dataclass
class _Watch:
    program: Program
    progress: Progress
    assigned: Assigned
    contestant: Contestant
    backlog: Backlog
    _done: int = 0
    _done_at: float = 0.0
    _moved_at: float = 0.0
    _first: int = 0
    _first_at: float = 0.0
    _first_cpu_s: float = 0.0
    _cpu_s: float = 0.0

    async def over(self) -> bool:
        """Look once: is it done, or its time up? Raises BenchError when nothing moves any more."""
        done, assigned = await self.progress.done(), await self.assigned.conversations()
        before, now = self._done_at, monotonic()
        before_cpu_s, self._cpu_s = self._cpu_s, self.program.cpu_s()
        if not before or done > self._done:
            self._moved_at = now
        self._done, self._done_at = done, now
        complete = done == self.backlog.messages and assigned == conversations(self.backlog.messages)
        if done and not self._first_at:
            self._first, self._first_at, self._first_cpu_s = done, now, self._cpu_s
            if done == self.backlog.messages:  # a small backlog at once: since the look before
                self._first, self._first_at, self._first_cpu_s = 0, before, before_cpu_s
        if now - self._moved_at > STALL_S:
            raise BenchError(
                f"{self.contestant.label} stands still at {done} of {self.backlog.messages} messages and "
                f"{assigned} assignments"
            )
        late = self.contestant.limited and now - self._first_at > self.backlog.limit_s
        return (late or complete) and done > self._first

    def run(self) -> Run:
        return Run(
            messages=self._done - self._first,
            seconds=self._done_at - self._first_at,
            cpu_s=self._cpu_s - self._first_cpu_s,
            peak_rss_mib=self.program.peak_rss_mib(),
        )


async def _check(course: Course, contestant: Contestant, backlog: Backlog) -> None:
    """Limited ones may have been stopped in the middle: their turns and events are checked, not the end."""
    if not contestant.limited:
        await check.check_done(course.connection, backlog.messages, conversations(backlog.messages))
    await check.check_turns(course.connection)
    await check.check_events(course.settings, course.connection, stopped_early=contestant.limited)
