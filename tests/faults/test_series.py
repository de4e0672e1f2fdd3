"""A campaign goes on where it stopped, and tells of each run what came of it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from faults.campaign import every_fault
from faults.catalogue import FAULTS, KINDS, MOST_PER_S, SPINE, TOGETHER, USUAL_S, needs_of, rate_around
from faults.plan import AT_ONCE, OFTEN, SELDOM, SOAKED, Task, full_plan, short_plan
from faults.record import Record
from faults.scene import Scene
from faults.series import Series
from tests.faults.test_record import a_result

ROOT = Path(__file__).parents[2]
TASKS = [Task((("kill_routing",),), seed, 100) for seed in (1, 2, 3)]
PASSED: dict[str, Any] = a_result(took_s=7.5)


def test_the_catalogue_names_every_fault_that_can_be_done() -> None:
    assert sorted(FAULTS) == sorted(every_fault(cast("Scene", None)))
    assert set(SPINE) <= set(FAULTS)
    assert needs_of(SPINE) == frozenset()


@pytest.mark.parametrize("plan", [full_plan, short_plan])
def test_a_plan_has_every_fault_and_no_run_twice(plan: object) -> None:
    tasks = plan()  # type: ignore[operator]
    assert {fault for task in tasks for phase in task.phases for fault in phase} == set(FAULTS)
    assert len({task.name for task in tasks}) == len(tasks)
    assert max(len(task.name) for task in tasks) < 255


@pytest.mark.parametrize("plan", [full_plan, short_plan])
def test_what_needs_surroundings_of_its_own_is_alone_in_its_run(plan: object) -> None:
    for task in plan():  # type: ignore[operator]
        if not needs_of({fault for phase in task.phases for fault in phase}) <= TOGETHER:
            assert len(task.phases) == 1


def test_the_full_plan_has_each_kind_with_so_many_seeds_and_messages_in_phases_of_its_own() -> None:
    kinds = {fault: kind for kind, faults in KINDS.items() for fault in faults}
    seen = [
        (kinds[phase[0]], task.seed, task.messages)
        for task in full_plan()
        for phase in task.phases
        if len(phase) == 1 and not task.repeat
    ]
    wanted = [(kind, seed, 10_000) for kind in OFTEN for seed in range(1, 21)]
    wanted += [(kind, seed, 5_000) for kind in SELDOM for seed in range(1, 6)]
    assert sorted(seen) == sorted(wanted)
    alone = {phase[0] for task in full_plan() for phase in task.phases if len(phase) == 1}
    assert alone == set(FAULTS)


def test_messages_flow_as_long_as_faults_last_and_never_faster_than_workers_could_take_them() -> None:
    assert rate_around(["kill_routing", "storm"], 8_000) == pytest.approx(8_000 / (USUAL_S + 60))
    assert rate_around(["kill_routing"], 10_000_000) == MOST_PER_S


def test_the_full_plan_has_each_kind_with_many_messages_and_some_upon_each_other() -> None:
    long = {task.phases: task.messages for task in full_plan() if task.repeat}
    assert [task.phases for task in full_plan() if task.spare] == [(SOAKED,)]
    assert [long[(faults,)] for faults in KINDS.values()] == [100_000] * len(KINDS)
    assert long[(SOAKED,)] == 1_000_000
    upon = [phase for task in full_plan() if not task.repeat for phase in task.phases if len(phase) > 1]
    assert [len(phase) for phase in upon] == [AT_ONCE] * 5


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
    assert Series(TASKS, tmp_path, said.append, command=machine).run() == [TASKS[1]]
    assert machine.begun == [1, 2, 3]
    assert "BROKEN OFF" in said[3]
    assert (tmp_path / TASKS[1].name / "half").exists()

    again = Machine()
    series = Series(TASKS, tmp_path, said.append, command=again)
    assert series.run() == []
    assert again.begun == [2]
    assert not (tmp_path / TASKS[1].name / "half").exists()
    assert len(series.results) == 3


def test_only_a_run_that_did_not_pass_keeps_its_servers_data(tmp_path: Path) -> None:
    said: list[str] = []
    machine = Machine(seed_2=PASSED | {"problems": ["lost"]})
    Series(TASKS, tmp_path, said.append, command=machine).run()
    kept = [(tmp_path / task.name / "servers").exists() for task in TASKS]
    assert kept == [False, True, False]
    assert "NOT PASSED, lost" in said[3]
    assert " left" in said[1]
    assert " left" not in said[5]


def test_phases_under_suspicion_are_seen_alone_and_what_failed_can_be_done_again(tmp_path: Path) -> None:
    both = Task((("kill_routing",), ("storm",)), 1, 100)
    failed = Machine(seed_1=PASSED | {"problems": ["lost"], "suspects": [1]})
    series = Series([both, TASKS[1]], tmp_path, lambda _: None, command=failed)
    assert series.run() == []
    alone = Task((("storm",),), 1, 100)
    assert series.done == [both, alone, TASKS[1]]

    mended = Series([both, TASKS[1]], tmp_path, lambda _: None, command=Machine())
    mended.repeat(lambda result: result["problems"])
    assert mended.done == [TASKS[1]]
    assert len(Record(tmp_path).runs) == 3, "a failure stays recorded until there is another result"
    assert mended.run() == []
    assert mended.done == [both, TASKS[1]]
    assert len(Record(tmp_path).runs) == 2, "of what nobody suspects any more nothing is said"


def test_what_is_recorded_is_done_on_any_machine(tmp_path: Path) -> None:
    Record(tmp_path / "kept").keep(TASKS[1], PASSED)
    machine = Machine()
    series = Series(
        TASKS, tmp_path / "new", lambda _: None, command=machine, record=Record(tmp_path / "kept")
    )
    assert series.run() == []
    assert machine.begun == [1, 3]
    assert len(Record(tmp_path / "kept").runs) == 3


def test_what_ended_while_its_campaign_was_killed_is_recorded_by_the_next_one(tmp_path: Path) -> None:
    (tmp_path / TASKS[0].name).mkdir()
    (tmp_path / TASKS[0].name / "result.json").write_bytes(orjson.dumps(PASSED))
    assert Series(TASKS, tmp_path, lambda _: None).done == TASKS[:1]
    assert len(Record(tmp_path).runs) == 1


def test_what_a_folder_has_of_an_earlier_time_does_not_replace_what_was_recorded_since(
    tmp_path: Path,
) -> None:
    (tmp_path / TASKS[0].name).mkdir()
    (tmp_path / TASKS[0].name / "result.json").write_bytes(orjson.dumps(PASSED))
    record = Record(tmp_path)
    record.keep(TASKS[0], PASSED | {"began": "2026-12-01T00:00:00+00:00"})
    assert [run["began"] for run in Series(TASKS, tmp_path, lambda _: None, record=record).results] == [
        "2026-12-01T00:00:00+00:00"
    ]


def test_what_is_to_be_repeated_counts_as_done_again_once_it_has_another_result(tmp_path: Path) -> None:
    new = "2" * 12
    Series(TASKS, tmp_path, lambda _: None, command=Machine(seed_2=PASSED | {"commit": new})).run()
    machine = Machine(seed_1=PASSED | {"commit": new}, seed_3=None)
    series = Series(TASKS, tmp_path, lambda _: None, command=machine)
    series.repeat(lambda result: result["commit"] != new)
    assert series.run() == [TASKS[2]]
    assert machine.begun == [1, 3]
    assert series.done == TASKS[:2]
    kept = [run["commit"] for run in Record(tmp_path).runs]
    assert kept == [new, new, PASSED["commit"]], "what was broken off keeps what it had"


def test_what_an_older_version_has_left_is_done_afresh(tmp_path: Path) -> None:
    (tmp_path / TASKS[0].name).mkdir()
    (tmp_path / TASKS[0].name / "result.json").write_bytes(orjson.dumps({"recoveries": []}))
    machine = Machine()
    assert Series(TASKS[:1], tmp_path, lambda _: None, command=machine).run() == []
    assert machine.begun == [1]


def test_what_is_left_takes_as_much_longer_than_was_thought_as_what_is_done(tmp_path: Path) -> None:
    series = Series(TASKS, tmp_path, lambda _: None, at_once=2, command=Machine())
    assert series.left_s == 3 * TASKS[0].expected_s / 2
    Record(tmp_path).keep(TASKS[0], PASSED | {"took_s": 4 * TASKS[0].expected_s})
    series = Series(TASKS, tmp_path, lambda _: None, at_once=2)
    assert series.left_s == 4 * 2 * TASKS[0].expected_s / 2


AT_THE_SAME_TIME = """
import pathlib, sys, time
here, others = pathlib.Path(sys.argv[1]), int(sys.argv[2])
(here / "begun").touch()
deadline = time.monotonic() + 20
while len(list(here.parent.glob("*/begun"))) <= others and time.monotonic() < deadline:
    time.sleep(0.02)
(here / "result.json").write_text(sys.argv[3] if time.monotonic() < deadline else "")
"""


def test_two_runs_are_under_way_at_the_same_time_when_that_is_asked(tmp_path: Path) -> None:
    def command(_: Task, folder: Path) -> Sequence[str]:
        return [sys.executable, "-c", AT_THE_SAME_TIME, str(folder), "1", orjson.dumps(PASSED).decode()]

    series = Series(TASKS[:2], tmp_path, lambda _: None, at_once=2, command=command)
    assert series.run() == []


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
plan = [Task((("kill_routing",),), 1, 100)]
Series(plan, pathlib.Path(sys.argv[1]), print, command=command).run()
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


# One run ends, the next one has not when its campaign is killed.
KILLED = """
import pathlib, sys
from faults.plan import Task
from faults.record import Record
from faults.series import Series
RUN = '''
import pathlib, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
folder, seed, result = sys.argv[1:]
time.sleep(0 if seed == "1" else 60)
pathlib.Path(folder, "result.json").write_text(result)
'''
command = lambda task, folder: [sys.executable, "-c", RUN, str(folder), str(task.seed), sys.argv[2]]
plan = [Task((("kill_routing",),), seed, 100) for seed in (1, 2)]
folder = pathlib.Path(sys.argv[1])
Series(plan, folder / "runs", print, command=command, record=Record(folder / "kept")).run()
"""


async def test_what_ended_before_its_campaign_was_killed_is_recorded(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, str(tmp_path), orjson.dumps(PASSED).decode()),
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while not (tmp_path / "runs" / TASKS[1].name).exists():
                await asyncio.sleep(0.02)
    finally:
        process.kill()
        await process.wait()
    elsewhere = Series(TASKS[:2], tmp_path / "new", lambda _: None, record=Record(tmp_path / "kept"))
    assert elsewhere.done == TASKS[:1]
