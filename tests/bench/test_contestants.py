"""Every contestant does the whole job, and what was not done is noticed."""

from __future__ import annotations

import pytest

from bench import check
from bench.arena import Course
from bench.contestants import BARE, CONTESTANTS, OURS_TWICE, Contestant
from bench.failures import BenchError
from bench.race import Backlog, race
from bench.workload import conversations

MESSAGES = 400
BACKLOG = Backlog(MESSAGES, limit_s=60.0)

pytestmark = pytest.mark.servers


# One that first fetches jars is for `make bench`, which checks what each run has done.
IN_PYTHON = [one for one in CONTESTANTS if one.prepare is None]


@pytest.mark.parametrize("contestant", IN_PYTHON, ids=[one.name for one in IN_PYTHON])
async def test_drains_all_and_gives_agents_in_turn(course: Course, contestant: Contestant) -> None:
    run = await race(course, contestant, BACKLOG)

    assert 0 < run.messages <= MESSAGES
    assert run.messages_per_s > 0
    assert run.peak_rss_mib > 10
    assert run.accounts.kafka is None, "this test does not know its process"
    assert all(taken is not None and taken >= 0 for taken in run.accounts._replace(kafka=0))
    await check.check_done(course.connection, MESSAGES, conversations(MESSAGES))
    await check.check_turns(course.connection)


async def test_two_workers_are_two_processes(course: Course) -> None:
    run = await race(course, OURS_TWICE, BACKLOG)

    logs = [path.name for path in course.log_dir.glob("ours_twice*")]
    assert sorted(logs) == ["ours_twice-1.log", "ours_twice-2.log"]
    assert run.peak_rss_mib > 100, "one alone has less"


async def test_a_contestant_that_ends_is_named_with_its_log(course: Course) -> None:
    broken = Contestant("broken", "broken", ("-c", "raise SystemExit('no such luck')"))

    with pytest.raises(BenchError, match=r"(?s)broken has ended by itself.*no such luck"):
        await race(course, broken, BACKLOG)


async def test_a_lost_message_and_an_unfair_turn_are_noticed(course: Course) -> None:
    await race(course, BARE, BACKLOG)
    connection = course.connection
    await connection.execute("DELETE FROM message WHERE position = 1 AND session = 1")
    await connection.execute("UPDATE desk_conversation SET holder = 'agent-01' WHERE holder = 'agent-02'")

    with pytest.raises(BenchError, match=r"messages stored: 360, but 400"):
        await check.check_done(connection, MESSAGES, conversations(MESSAGES))
    with pytest.raises(BenchError, match="in turn"):
        await check.check_turns(connection)
