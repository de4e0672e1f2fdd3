"""A campaign goes on where it stopped, and tells of each run what came of it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import orjson
import pytest

from faults.campaign import every_fault
from faults.catalogue import FAULTS, KINDS, SPINE, needs_of
from faults.plan import Task, full_plan, short_plan
from faults.scene import Scene
from faults.series import Series

ROOT = Path(__file__).parents[2]
TASKS = [Task(("kill_routing",), seed, 100) for seed in (1, 2, 3)]
PASSED: dict[str, object] = {"problems": [], "recoveries": []}


def test_the_catalogue_names_every_fault_that_can_be_done() -> None:
    assert sorted(FAULTS) == sorted(every_fault(cast("Scene", None)))
    assert set(SPINE) <= set(FAULTS)
    assert needs_of(SPINE) == frozenset()


@pytest.mark.parametrize("plan", [full_plan, short_plan])
def test_a_plan_has_every_fault_and_no_run_twice(plan: object) -> None:
    tasks = plan()  # type: ignore[operator]
    assert {fault for task in tasks for fault in task.faults} == set(FAULTS)
    assert len({task.name for task in tasks}) == len(tasks)


def test_each_fault_of_a_kind_is_alone_in_some_run_of_the_full_plan() -> None:
    alone = {task.faults[0] for task in full_plan() if len(task.faults) == 1}
    assert alone == {fault for faults in KINDS.values() for fault in faults}


class Machine:
    """Carries runs out: as `results` say, by seed."""

    def __init__(self, **results: object) -> None:
        self.results = results
        self.begun: list[int] = []

    def __call__(self, task: Task, folder: Path) -> Sequence[str]:
        self.begun.append(task.seed)
        (folder / "servers").mkdir()
        found = self.results.get(f"seed_{task.seed}", PASSED)
        program = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
        target = folder / "result.json" if found is not None else folder / "half"
        return [sys.executable, "-c", program, str(target), orjson.dumps(found).decode()]


def test_a_second_start_leaves_out_what_is_done_and_begins_afresh_what_was_broken_off(tmp_path: Path) -> None:
    said: list[str] = []
    machine = Machine(seed_2=None)
    assert Series(TASKS, tmp_path, said.append, machine).run() == [TASKS[1]]
    assert machine.begun == [1, 2, 3]
    assert "BROKEN OFF" in said[3]
    assert (tmp_path / TASKS[1].name / "half").exists()

    again = Machine()
    series = Series(TASKS, tmp_path, said.append, again)
    assert series.run() == []
    assert again.begun == [2]
    assert not (tmp_path / TASKS[1].name / "half").exists()
    assert len(series.results) == 3


def test_only_a_run_that_did_not_pass_keeps_its_servers_data(tmp_path: Path) -> None:
    said: list[str] = []
    machine = Machine(seed_2={"problems": ["lost"], "recoveries": []})
    Series(TASKS, tmp_path, said.append, machine).run()
    kept = [(tmp_path / task.name / "servers").exists() for task in TASKS]
    assert kept == [False, True, False]
    assert "NOT PASSED, lost" in said[3]
    assert " left" in said[1]
    assert " left" not in said[5]


# Shells let what they start in the background ignore interrupts.
INTERRUPTED = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from faults.plan import Task
from faults.series import Series
RUN = '''
import pathlib, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    print("running", flush=True)
    pathlib.Path(sys.argv[1], "begun").touch()
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path(sys.argv[1], "stopped").touch()
'''
command = lambda task, folder: [sys.executable, "-c", RUN, str(folder)]
Series([Task(("kill_routing",), 1, 100)], pathlib.Path(sys.argv[1]), print, command).run()
"""


async def test_an_interrupt_lets_the_run_stop_in_order_and_leaves_it_to_the_next_start(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", INTERRUPTED, str(tmp_path), cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
    )
    folder = tmp_path / TASKS[0].name
    try:
        async with asyncio.timeout(30):
            while not (folder / "begun").exists():
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGINT)
            assert await process.wait() != 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    assert (folder / "stopped").exists()
    assert Series(TASKS[:1], tmp_path, lambda _: None).done == []
