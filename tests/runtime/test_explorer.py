"""Every order of events within the bounds: each batch is published once, in order, and sooner or later.

Wider bounds: `python -m tests.runtime.explorer --help`
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.runtime.explorer import holding, kafka, postgres, surroundings, takeover, worker
from tests.runtime.explorer.ending import end_transaction
from tests.runtime.explorer.search import Found, TooManyStatesError, explore
from tests.runtime.explorer.world import (
    Budget,
    Hold,
    Move,
    Moves,
    Phase,
    Request,
    Row,
    Term,
    World,
    first,
)
from workers.runtime import protocol
from workers.runtime.protocol import BackOff, Claim, EndTerm, Fence, Group, ReadGroup, Stop, TakeoverStep

NONE = Budget(reassignments=0, crashes=0, freezes=0, postgres=0, kafka=0, timeouts=0)
CASES = {
    "nothing": ("rtr", NONE._replace(reassignments=1)),
    "crash": ("rt", NONE._replace(reassignments=1, crashes=1)),
    "freeze": ("rt", NONE._replace(freezes=1)),
    "reassignment and freeze": ("rt", NONE._replace(reassignments=1, freezes=1)),
    "answer of Postgres lost": ("rt", NONE._replace(reassignments=1, postgres=1)),
    "answer of Kafka lost": ("rtr", NONE._replace(reassignments=1, kafka=1)),
    "transaction timed out": ("rtr", NONE._replace(reassignments=1, timeouts=1)),
    "crash and answer of Postgres lost": ("r", NONE._replace(reassignments=1, crashes=1, postgres=1)),
    "crash and answer of Kafka lost": ("r", NONE._replace(reassignments=1, crashes=1, kafka=1)),
    "both answers lost": ("rt", NONE._replace(reassignments=1, postgres=1, kafka=1)),
    "freeze and answer of Kafka lost": ("r", NONE._replace(freezes=1, kafka=1)),
    "two lanes, reassignment": ("r,t", NONE._replace(reassignments=1)),
    "two lanes, crash": ("r,r", NONE._replace(crashes=1)),
    "two lanes, answer of Postgres lost": ("r,r", NONE._replace(postgres=1)),
    "two lanes, answer of Kafka lost": ("r,t", NONE._replace(kafka=1)),
}
"""What there is to do, in each lane, and what happens meanwhile."""


@pytest.mark.parametrize(("units", "budget"), CASES.values(), ids=CASES.keys())
def test_whatever_happens_each_batch_is_published_once_in_order_and_at_last(
    units: str, budget: Budget
) -> None:
    found = explore(first(2, units.split(","), budget))
    print(f"{units} {budget}: {found}")  # noqa: T201  shown by pytest -rP, or when it fails
    assert found.wrong is None, str(found)
    assert found.states > 100


def test_bounds_that_are_too_wide_are_an_error_and_not_a_success() -> None:
    with pytest.raises(TooManyStatesError, match="more than 50 states"):
        explore(first(2, ["rt"], Budget()), limit=50)


def caught(*budget: str, units: str = "rt") -> Found:
    """What an exploration finds, when one of each of these may happen; it must be something."""
    found = explore(first(2, units.split(","), NONE._replace(**dict.fromkeys(budget, 1))))
    assert found.wrong is not None, f"the mutant lives: {found}"
    assert found.path
    return found


Patch = pytest.MonkeyPatch


def test_claiming_without_fencing_is_caught(monkeypatch: Patch) -> None:
    real = protocol.after_row

    def unfenced(*, me: str, holds: bool, assigned: bool, row: protocol.Row) -> TakeoverStep:
        step = real(me=me, holds=holds, assigned=assigned, row=row)
        return Claim(step.owner) if isinstance(step, Fence) else step

    monkeypatch.setattr(protocol, "after_row", unfenced)
    assert "again" in str(caught("freezes").wrong)


def test_fencing_one_of_two_producers_is_caught(monkeypatch: Patch) -> None:
    real = kafka.end_producer

    def only_first(world: World, term: Term, producer: int) -> World | None:
        return real(world, term, producer) if producer == 0 else world

    monkeypatch.setattr(kafka, "end_producer", only_first)
    assert "again" in str(caught("freezes").wrong)


def test_reading_the_group_before_fencing_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(takeover, "read_early", lambda world, lane: world.groups[lane])
    monkeypatch.setattr(
        takeover, "read_group", lambda world, number, lane: world.workers[number].holds[lane].group
    )
    assert "again" in str(caught("crashes", units="r").wrong)


def test_reading_the_group_between_fencing_and_claiming_is_caught(monkeypatch: Patch) -> None:
    def group_of(world: World, lane: int, hold: Hold) -> Hold:
        return hold._replace(group=world.groups[lane])

    keep_from_before_the_claim(monkeypatch, "fence", group_of, "row")
    monkeypatch.setattr(
        takeover, "read_group", lambda world, number, lane: world.workers[number].holds[lane].group
    )
    assert "stopped" in str(caught("reassignments").wrong)


def test_reading_the_row_before_fencing_is_caught(monkeypatch: Patch) -> None:
    def row_of(world: World, lane: int, hold: Hold) -> Hold:
        return hold._replace(row=world.rows[lane]._replace(owner=None))

    keep_from_before_the_claim(monkeypatch, "idle", row_of, "group")
    assert "stopped" in str(caught("freezes").wrong)


def keep_from_before_the_claim(
    monkeypatch: Patch, phase: str, read: Callable[[World, int, Hold], Hold], then: Phase
) -> None:
    """Read something at the end of this phase already, and go on from the claim to `then` with it."""
    step, follow = worker.STEPS[phase], takeover.follow

    def reads(world: World, number: int, lane: int) -> Moves:
        for move in step(world, number, lane):
            hold = move.world.workers[number].holds[lane]
            known = read(move.world, lane, hold) if hold.phase in {"fence", "claim"} else hold
            yield move._replace(world=move.world.with_hold(number, lane, known))

    def keeps(name: str, world: World, number: int, lane: int, decided: TakeoverStep) -> Moves:
        known = world.workers[number].holds[lane]._replace(phase=then, owner=None, fenced=0)
        for move in follow(name, world, number, lane, decided):
            kept = move.world.with_hold(number, lane, known)
            yield move._replace(world=kept) if isinstance(decided, ReadGroup) else move

    monkeypatch.setitem(worker.STEPS, phase, reads)
    monkeypatch.setattr(takeover, "follow", keeps)


def test_taking_a_row_whoever_has_it_by_now_is_caught(monkeypatch: Patch) -> None:
    """No compare-and-swap: two read the same row, and the second one takes it from the first unfenced."""
    real = postgres.execute

    def overwriting(world: World, request: Request) -> tuple[World, protocol.Outcome]:
        return real(world, request._replace(expected=world.rows[request.lane].owner))

    monkeypatch.setattr(postgres, "execute", overwriting)
    assert "again" in str(caught("freezes").wrong)


def test_a_commit_that_postgres_has_lost_stops_the_lane(monkeypatch: Patch) -> None:
    real = surroundings.moves

    def forgetting(world: World) -> Moves:
        yield from real(world)
        row = world.rows[0]
        if row.batch_no:
            before = row._replace(batch_no=row.batch_no - 1, pending=row.pending[:-1])
            yield Move("Postgres loses the last commit", world.with_row(0, before), certain=False)

    monkeypatch.setattr("tests.runtime.explorer.search.moves", forgetting)
    assert "stopped" in str(caught("reassignments").wrong)


def test_releasing_without_emptying_pending_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(postgres, "released", lambda row: row._replace(owner=None))
    assert "again" in str(caught("reassignments").wrong)


def test_going_on_after_an_unknown_publish_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(protocol, "after_publish", going_on)
    assert "before batch" in str(caught("kafka").wrong)


def test_going_on_after_an_unknown_store_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(protocol, "after_store", going_on)
    assert caught("postgres").path


def test_committing_what_was_begun_ahead_before_postgres_has_the_batch_is_caught(monkeypatch: Patch) -> None:
    real = holding.end_batch

    def early(world: World, number: int) -> Moves:
        yield from real(world, number)
        for name, after, _ in end_transaction(world, number):
            yield Move(f"{name} before the batch is stored", after)

    monkeypatch.setattr(holding, "end_batch", early)
    assert "again" in str(caught("crashes", units="r").wrong)


def test_beginning_ahead_while_the_batch_before_is_unconfirmed_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(protocol, "may_begin_ahead", lambda *, unconfirmed: True)
    assert "before batch" in str(caught("reassignments").wrong)


def test_going_on_with_a_transaction_that_was_begun_for_another_batch_is_caught(monkeypatch: Patch) -> None:
    """It is not aborted when its batch is rolled back: what is stored next is published with it."""
    real = holding.end_batch

    def kept(world: World, number: int) -> Moves:
        lanes = world.workers[number].ahead
        for move in real(world, number):
            if "rolls back" not in move.name:
                yield move
        for lane in lanes if len(lanes) > 1 else ():
            yield Move(
                "leaves a lane out", world.with_worker(number, world.workers[number]._replace(ahead=(lane,)))
            )

    monkeypatch.setattr(holding, "end_batch", kept)
    assert caught("crashes", units="r,r").path


def going_on(*, outcome: protocol.Outcome) -> EndTerm | None:
    return None


def test_releasing_what_is_unconfirmed_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(protocol, "may_release", lambda *, unconfirmed: True)
    assert caught("reassignments").path


def test_forgetting_what_is_unconfirmed_is_caught(monkeypatch: Patch) -> None:
    def overwritten(row: Row, _: int) -> Row:
        return row._replace(batch_no=row.batch_no + 1, pending=(row.batch_no + 1,))

    monkeypatch.setattr(postgres, "stored", overwritten)
    assert caught("crashes").path


def test_going_on_with_a_lane_that_names_this_term_and_is_not_held_is_caught(monkeypatch: Patch) -> None:
    real = protocol.after_row

    def careless(*, me: str, holds: bool, assigned: bool, row: protocol.Row) -> TakeoverStep:
        return Claim(me) if row.owner == me else real(me=me, holds=holds, assigned=assigned, row=row)

    monkeypatch.setattr(protocol, "after_row", careless)
    assert caught("reassignments", "postgres").path


def test_stopping_a_lane_at_once_when_the_group_is_behind_is_caught(monkeypatch: Patch) -> None:
    replace_after_group(monkeypatch, lambda _: Stop("it does not fit"))
    assert "stopped" in str(caught("reassignments").wrong)


def test_waiting_for_a_stale_offset_only_when_nobody_was_fenced_is_not_enough(monkeypatch: Patch) -> None:
    """Who is fenced may itself have claimed a moment ago what another had released."""
    real = takeover.read_group
    claimed_from: dict[int, bool] = {}

    def remembered(world: World, number: int, lane: int) -> int | None:
        claimed_from[0] = any(term != world.term(number) for term, _ in world.ended)
        return real(world, number, lane)

    monkeypatch.setattr(takeover, "read_group", remembered)
    replace_after_group(monkeypatch, lambda step: Stop("fenced") if claimed_from[0] else step)
    assert "stopped" in str(caught("reassignments", "freezes").wrong)


def replace_after_group(monkeypatch: Patch, instead: Callable[[TakeoverStep], TakeoverStep]) -> None:
    """Replace the decision to read the group again."""
    real = protocol.after_group

    def replaced(*, row: protocol.Row, group: Group, waited_s: float) -> TakeoverStep:
        step = real(row=row, group=group, waited_s=waited_s)
        return instead(step) if isinstance(step, BackOff) else step

    monkeypatch.setattr(protocol, "after_group", replaced)


def test_stopping_a_lane_that_another_has_taken_meanwhile_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(takeover, "may_stop", lambda *_: True)
    assert "stopped" in str(caught("freezes").wrong)


def test_a_lane_that_can_never_be_taken_over_is_caught(monkeypatch: Patch) -> None:
    def never(*, assigned: bool, owner: str) -> TakeoverStep:
        return BackOff()

    monkeypatch.setattr(protocol, "after_fence", never)
    assert "ever published" in str(caught("crashes").wrong)
