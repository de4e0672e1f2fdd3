"""A campaign: run after run, each a process of its own with a folder; what is done already is left out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faults.plan import Task
from faults.record import Record, Run, read
from workers.local.child import LEASH

ROOT = Path(__file__).parents[1]
STOPPING_S = 90.0
"""So long a run may take to stop its workers and servers when it is told to."""
POLL_S = 0.1


def _spine(task: Task, folder: Path) -> Sequence[str]:
    return [sys.executable, "-m", "faults.spine", *task.arguments(folder)]


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[bytes]
    began: float


class Series:
    """The runs of a plan. One that is recorded is done.

    Args:
        plan: its runs. Behind one of several phases that did not pass come those that must be seen alone.
        folder: for the data and logs of each.
        say: takes what happens, a line at a time.
        at_once: so many runs are under way at the same time.
        command: what carries a task out and leaves its result in a folder.
        record: where results are kept. Default: in `folder`.
    """

    def __init__(
        self,
        plan: Sequence[Task],
        folder: Path,
        say: Callable[[str], None],
        at_once: int = 1,
        command: Callable[[Task, Path], Sequence[str]] = _spine,
        record: Record | None = None,
    ) -> None:
        self._plan = plan
        self._folder = folder.absolute()
        self._say = say
        self._at_once = at_once
        self._command = command
        self._record = record or Record(folder)
        self._unwanted: set[Task] = set()
        self._catch_up()

    @property
    def tasks(self) -> list[Task]:
        """All runs, as far as anybody knows by now."""
        found: list[Task] = []
        for task in self._plan:
            result = self._result(task)
            found += [task, *(self._because_of(task, result) if result else ())]
        return list(dict.fromkeys(found))

    @property
    def done(self) -> list[Task]:
        """Those that have a result, of this time or an earlier one, here or elsewhere."""
        return [task for task in self.tasks if self._result(task)]

    @property
    def results(self) -> list[Run]:
        """What those have shown."""
        return [result for task in self.tasks if (result := self._result(task))]

    @property
    def left_s(self) -> float:
        """About how long the others take: as much longer than was thought as those that are done."""
        done = [(task, result) for task in self.tasks if (result := self._result(task))]
        expected_s = sum(task.expected_s for task, _ in done)
        ratio = sum(result["took_s"] for _, result in done) / expected_s if done else 1.0
        left = set(self.tasks) - {task for task, _ in done}
        return ratio * sum(task.expected_s for task in left) / self._at_once

    def repeat(self, is_unwanted: Callable[[Run], object]) -> None:
        """Let those with such results be done again; each stays recorded until there is another one."""
        results = [(task, self._result(task)) for task in self.tasks]
        self._unwanted |= {task for task, result in results if result and is_unwanted(result)}

    def run(self) -> list[Task]:
        """Do what is left; returns those that did not come to an end. KeyboardInterrupt stops in order."""
        begun: dict[Task, _Running] = {}
        tried: list[Task] = []
        try:
            while (task := self._next(tried, len(begun))) or begun:
                if task:
                    tried.append(task)
                    begun[task] = self._begin(task)
                    continue
                time.sleep(POLL_S)
                for over in [task for task, one in begun.items() if one.process.poll() is not None]:
                    self._end(over, begun.pop(over))
        except KeyboardInterrupt:
            self._say("    stopping; the next start begins afresh what is under way")
            _interrupt([one.process for one in begun.values()])
            raise
        return [task for task in tried if not self._result(task)]

    def _next(self, tried: Sequence[Task], under_way: int) -> Task | None:
        """What to begin now; none when enough is under way, or nothing is left."""
        if under_way == self._at_once:
            return None
        return next((task for task in self.tasks if task not in tried and not self._result(task)), None)

    def _begin(self, task: Task) -> _Running:
        """One that was broken off begins afresh."""
        tasks, folder = self.tasks, self._of(task)
        self._say(f"[{tasks.index(task) + 1}/{len(tasks)}] {task.name}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with (folder / "run.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(LEASH), str(os.getpid())),
                    *(str(int(signal.SIGINT)), "-1", "-1"),
                    *self._command(task, folder),
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt from the terminal shall not reach workers and servers
            )
        return _Running(process, time.monotonic())

    def _end(self, task: Task, one: _Running) -> None:
        result = self._left_by(task)
        if result:
            self._keep(task, result)
        if result and not result["problems"]:
            shutil.rmtree(self._of(task) / "servers", ignore_errors=True)
        left_s = self.left_s
        took = f"in {time.monotonic() - one.began:.0f} s{f'; {_shown(left_s)} left' if left_s else ''}"
        self._say(f"    {task.name}: {self._verdict(task, result)} {took}")

    def _verdict(self, task: Task, result: Run | None) -> str:
        if result is None:
            return f"BROKEN OFF, see {self._of(task) / 'run.log'},"
        if not result["problems"]:
            return "passed"
        others = f"others had {result['others_share']:.0%} of the processors"
        return f"NOT PASSED, {result['problems'][0]}, {others}, see {self._of(task)},"

    def _result(self, task: Task) -> Run | None:
        """None while it has none that is wanted."""
        return None if task in self._unwanted else self._record.find(task)

    def _left_by(self, task: Task) -> Run | None:
        """What the run has left in its folder; what an older version has left there is nothing."""
        try:
            return read(self._of(task))
        except ValueError:
            return None

    def _catch_up(self) -> None:
        """Record what ended while no campaign was there to see it, since it was killed."""
        for task in self.tasks:
            known, left = self._record.find(task), self._left_by(task)
            if left and (known is None or known["began"] < left["began"]):
                self._keep(task, left)

    def _keep(self, task: Task, result: Run) -> None:
        """What was seen alone because of the result before goes with it."""
        before = self._record.find(task)
        for alone in self._because_of(task, before) if before else ():
            self._record.drop(alone)
            shutil.rmtree(self._of(alone), ignore_errors=True)
        self._record.keep(task, result)
        self._unwanted.discard(task)

    def _because_of(self, task: Task, result: Run) -> list[Task]:
        """Those of its phases that must be seen alone."""
        alone = task.alone(result["suspects"]) if len(task.phases) > 1 else []
        return [one for one in alone if one not in self._plan]

    def _of(self, task: Task) -> Path:
        return self._folder / task.name


def _interrupt(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        try:
            process.wait(STOPPING_S)
        except subprocess.TimeoutExpired:
            process.kill()  # its workers and servers end with it
            process.wait()


def _shown(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"about {minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"about {minutes} min"
