"""What goes wrong without each part of a batch and of the release: the explorer finds the way to it."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest

from tests.runtime.explorer import holding, kafka, postgres
from tests.runtime.explorer.caught import caught, found
from tests.runtime.explorer.ending import end_transaction, go_on
from tests.runtime.explorer.world import Move, Moves, Part, Request, Row, Term, World
from workers.runtime import protocol
from workers.runtime.protocol import EndTerm

Patch = pytest.MonkeyPatch


def test_storing_a_batch_whoever_has_the_lane_is_caught(monkeypatch: Patch) -> None:
    """No compare-and-swap: who wakes up stores what its successor has stored already."""
    monkeypatch.setattr(postgres, "is_as_known", lambda *_: True)
    assert "is stored behind" in str(caught("freezes").wrong)


def test_counting_only_how_many_rows_are_as_they_were_is_caught(monkeypatch: Patch) -> None:
    """Another lane's row makes up for that of the lane which was lost."""
    real = postgres.is_as_known

    def as_many(world: World, number: int, lanes: Collection[int]) -> bool:
        return sum(real(world, number, (lane,)) for lane in world.lanes) >= len(lanes)

    monkeypatch.setattr(postgres, "is_as_known", as_many)
    assert "is stored behind" in str(caught("freezes", units="r,").wrong)


def by_owner(world: World, number: int, lanes: Collection[int]) -> bool:
    return all(world.rows[lane].owner == world.term(number) for lane in lanes)


def by_batch_number(world: World, number: int, lanes: Collection[int]) -> bool:
    holds = world.workers[number].holds
    return all(world.rows[lane].batch_no == holds[lane].batch_no for lane in lanes)


@pytest.mark.parametrize("half", [by_owner, by_batch_number])
def test_owner_and_batch_number_of_a_batch_cover_for_each_other(
    monkeypatch: Patch, half: Callable[[World, int, Collection[int]], bool]
) -> None:
    """Each alone is enough as long as everything else is right. So is neither caught alone: both are kept."""
    monkeypatch.setattr(postgres, "is_as_known", half)
    assert found("freezes").wrong is None


def test_going_on_after_an_unknown_store_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(protocol, "after_store", going_on)
    assert caught("postgres").path


def test_forgetting_what_is_unconfirmed_is_caught(monkeypatch: Patch) -> None:
    def overwritten(row: Row, _: int) -> Row:
        return row._replace(batch_no=row.batch_no + 1, pending=(row.batch_no + 1,))

    monkeypatch.setattr(postgres, "stored", overwritten)
    assert caught("crashes").path


def test_a_batch_that_kafka_will_never_take_is_caught(monkeypatch: Patch) -> None:
    """Sizes are not checked before the commit: nobody can ever publish what is pending."""
    real = kafka.begin

    def limited(world: World, term: Term, producer: int, parts: tuple[Part, ...]) -> World | None:
        too_large = any(2 in part.batches for part in parts)
        return None if too_large else real(world, term, producer, parts)

    monkeypatch.setattr(kafka, "begin", limited)
    assert "ever published" in str(found("crashes").wrong)


def test_going_on_after_an_unknown_publish_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(protocol, "after_publish", going_on)
    assert "before batch" in str(caught("kafka").wrong)


def going_on(*, outcome: protocol.Outcome) -> EndTerm | None:
    return None


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


def test_releasing_without_emptying_pending_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(postgres, "released", lambda row: row._replace(owner=None))
    assert "again" in str(caught("reassignments").wrong)


def test_releasing_what_is_unconfirmed_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(protocol, "may_release", lambda *, unconfirmed: True)
    assert caught("reassignments").path


def test_releasing_a_row_to_which_a_late_commit_has_added_is_caught(monkeypatch: Patch) -> None:
    """Who goes on as if an unknown batch were not stored is safe as long as batch numbers are compared."""
    release = postgres.release

    def unbelieving(name: str, after: World, number: int, end: EndTerm | None, before: World) -> Moves:
        is_unknown = name.startswith("stores") and name.endswith("no answer")
        yield from [Move(name, before)] if is_unknown else go_on(name, after, number, end, before)

    def by_owner_alone(world: World, number: int, lane: int) -> Request | None:
        with monkeypatch.context() as patched:
            patched.setattr(postgres, "is_as_known", by_owner)
            return release(world, number, lane)

    monkeypatch.setattr(holding, "go_on", unbelieving)
    assert found("reassignments", "postgres").wrong is None
    monkeypatch.setattr(postgres, "release", by_owner_alone)
    assert "with [] pending" in str(caught("reassignments", "postgres").wrong)
