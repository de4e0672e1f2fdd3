"""One desk's benchmark, in small."""

from __future__ import annotations

import pytest

from bench import desk_work
from bench.arena import Course
from bench.desk import decide_on
from bench.desk_rows import keep
from bench.desk_work import WORKSPACE, draining, works


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_work, "HELD", 60)
    monkeypatch.setattr(desk_work, "WAITING", 60)


def test_every_kind_of_command_is_decided_on_as_its_name_says() -> None:
    events = {work.name: decide_on(work, 50).events for work in works(12)}

    assert events == {
        "new conversations": 2,
        "sessions end, 60 wait": 2,
        "claims that win": 2,
        "claims that come too late": 1,
    }


async def test_what_is_kept_is_counted_and_written_again_as_it_stands(course: Course) -> None:
    kept = await keep(course.connection, draining(12))

    rows = await course.connection.fetch(
        "SELECT standing, session_open, count(*) FROM desk_conversation WHERE workspace_id = $1 "
        "GROUP BY standing, session_open",
        WORKSPACE,
    )
    assert kept.assignments == 60
    assert kept.ours_s > kept.bare_s > 0
    assert kept.own_cpu_s > 0
    assert {tuple(row) for row in rows} == {("held", True, 60), ("held", False, 60)}
