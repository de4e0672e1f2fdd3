"""A campaign: run after run, each a process of its own with a folder; what is done already is left out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from faults.plan import Task
from faults.table import Run, read
from workers.local.child import LEASH

ROOT = Path(__file__).parents[1]
STOPPING_S = 90.0
"""So long a run may take to stop its workers and servers when it is told to."""
RESULT = "result.json"


def _spine(task: Task, folder: Path) -> Sequence[str]:
    return [sys.executable, "-m", "faults.spine", *task.arguments(folder)]


class Series:
    """The runs of a plan, their results below `folder`.

    Args:
        say: takes what happens, a line at a time.
        command: what carries a task out and leaves its result in a folder.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        folder: Path,
        say: Callable[[str], None],
        command: Callable[[Task, Path], Sequence[str]] = _spine,
    ) -> None:
        self._tasks = tasks
        self._folder = folder.absolute()
        self._say = say
        self._command = command
        self._spent_s = self._expected_s = 0.0

    @property
    def done(self) -> list[Task]:
        """Those that have a result, of this time or an earlier one."""
        return [task for task in self._tasks if (self._of(task) / RESULT).exists()]

    @property
    def results(self) -> list[Run]:
        """What those have shown."""
        return [read(self._of(task)) for task in self.done]

    def run(self) -> list[Task]:
        """Do what is left; returns those that did not come to an end. KeyboardInterrupt stops in order."""
        done, broken = set(self.done), []
        for number, task in enumerate(self._tasks, 1):
            if task in done:
                continue
            self._say(f"[{number}/{len(self._tasks)}] {task.name}")
            began = time.monotonic()
            if not self._carry_out(task):
                broken.append(task)
            self._spent_s += time.monotonic() - began
            self._expected_s += task.expected_s
            done.add(task)
            left = (other for other in self._tasks if other not in done)
            self._say(f"    {self._verdict(task)} in {time.monotonic() - began:.0f} s{self._left(left)}")
        return broken

    def _carry_out(self, task: Task) -> bool:
        """Whether the run came to an end, however it ended. One that was broken off begins afresh."""
        folder = self._of(task)
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
            try:
                process.wait()
            except KeyboardInterrupt:
                self._say(f"    stopping {task.name}; the next start begins it afresh")
                _interrupt(process)
                raise
        if not (folder / RESULT).exists():
            return False
        if not read(folder)["problems"]:
            shutil.rmtree(folder / "servers", ignore_errors=True)
        return True

    def _verdict(self, task: Task) -> str:
        folder = self._of(task)
        if not (folder / RESULT).exists():
            return f"BROKEN OFF, see {folder / 'run.log'}:"
        problems = read(folder)["problems"]
        return f"NOT PASSED, {problems[0]}, see {folder}:" if problems else "passed"

    def _left(self, tasks: Iterable[Task]) -> str:
        seconds = sum(task.expected_s for task in tasks) * self._spent_s / self._expected_s
        return f"; {_shown(seconds)} left" if seconds else ""

    def _of(self, task: Task) -> Path:
        return self._folder / task.name


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOPPING_S)
    except subprocess.TimeoutExpired:
        process.kill()  # its workers and servers end with it
        process.wait()


def _shown(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"about {minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"about {minutes} min"
