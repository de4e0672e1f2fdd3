"""What goes wrong without each part of a takeover: the explorer finds the way to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.runtime.explorer import kafka, surroundings, takeover, worker
from tests.runtime.explorer.caught import caught
from tests.runtime.explorer.old_rules import (
    claim_whoever_has_it,
    instead_of_waiting,
    stop_what_another_has,
    stop_when_behind,
)
from tests.runtime.explorer.world import Hold, Move, Moves, Phase, Term, World
from workers.runtime import protocol
from workers.runtime.protocol import BackOff, Claim, Fence, ReadGroup, Stop, TakeoverStep

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


def test_fencing_oneself_with_the_same_ids_is_caught(monkeypatch: Patch) -> None:
    """Whoever initialises its own id again revives what another has just ended."""
    real, step = protocol.after_row, worker.STEPS["fence"]

    def fencing_itself(*, me: str, holds: bool, assigned: bool, row: protocol.Row) -> TakeoverStep:
        is_mine = row.owner == me and assigned
        return Fence(me) if is_mine else real(me=me, holds=holds, assigned=assigned, row=row)

    def reviving(world: World, number: int, lane: int) -> Moves:
        hold, me = world.workers[number].holds[lane], world.term(number)
        for move in step(world, number, lane):
            revived = move.world._replace(ended=move.world.ended - {(me, hold.fenced)})
            yield move._replace(world=revived) if hold.owner == me else move

    monkeypatch.setattr(protocol, "after_row", fencing_itself)
    monkeypatch.setitem(worker.STEPS, "fence", reviving)
    assert "again" in str(caught("reassignments", "freezes", units="r").wrong)


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
    claim_whoever_has_it(monkeypatch)
    assert "again" in str(caught("freezes").wrong)


def test_waiting_for_who_froze_with_a_row_locked_is_caught(monkeypatch: Patch) -> None:
    """Nobody ends its session: what it sent neither lands nor is given up."""
    real = surroundings.moves

    def patient(world: World) -> Moves:
        for move in real(world):
            yield move._replace(certain=False) if move.name.startswith(("store of", "release of")) else move

    monkeypatch.setattr("tests.runtime.explorer.search.moves", patient)
    assert "ever published" in str(caught("postgres").wrong)


def test_going_on_with_a_lane_that_names_this_term_and_is_not_held_is_caught(monkeypatch: Patch) -> None:
    real = protocol.after_row

    def careless(*, me: str, holds: bool, assigned: bool, row: protocol.Row) -> TakeoverStep:
        return Claim(me) if row.owner == me else real(me=me, holds=holds, assigned=assigned, row=row)

    monkeypatch.setattr(protocol, "after_row", careless)
    assert caught("reassignments", "postgres").path


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


def test_knowing_what_is_published_by_offsets_alone_is_caught(monkeypatch: Patch) -> None:
    """No batch number: a timer moves no offset, and its events are published once more."""

    def by_offset(world: World, _: int, lane: int) -> int | None:
        published = world.groups[lane]
        return None if published is None else len(world.units[lane][:published].rstrip("t"))

    monkeypatch.setattr(takeover, "read_group", by_offset)
    assert "again" in str(caught("crashes").wrong)


def test_stopping_a_lane_at_once_when_the_group_is_behind_is_caught(monkeypatch: Patch) -> None:
    stop_when_behind(monkeypatch)
    assert "stopped" in str(caught("reassignments").wrong)


def test_waiting_for_a_stale_offset_only_when_nobody_was_fenced_is_not_enough(monkeypatch: Patch) -> None:
    """Who is fenced may itself have claimed a moment ago what another had released."""
    real = takeover.read_group
    claimed_from: dict[int, bool] = {}

    def remembered(world: World, number: int, lane: int) -> int | None:
        claimed_from[0] = any(term != world.term(number) for term, _ in world.ended)
        return real(world, number, lane)

    monkeypatch.setattr(takeover, "read_group", remembered)
    instead_of_waiting(monkeypatch, lambda step: Stop("fenced") if claimed_from[0] else step)
    assert "stopped" in str(caught("reassignments", "freezes").wrong)


def test_stopping_a_lane_that_another_has_taken_meanwhile_is_caught(monkeypatch: Patch) -> None:
    stop_what_another_has(monkeypatch)
    assert "stopped" in str(caught("freezes").wrong)


def test_a_lane_that_can_never_be_taken_over_is_caught(monkeypatch: Patch) -> None:
    def never(*, assigned: bool, owner: str) -> TakeoverStep:
        return BackOff()

    monkeypatch.setattr(protocol, "after_fence", never)
    assert "ever published" in str(caught("crashes").wrong)
