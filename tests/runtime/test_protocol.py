"""The decisions of the lane protocol, one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.runtime import protocol
from workers.runtime.protocol import (
    BACK_OFF_FIRST_S,
    BACK_OFF_LAST_S,
    STALE_READ_LIMIT_S,
    Abandon,
    BackOff,
    Claim,
    EndTerm,
    Fence,
    Group,
    Outcome,
    Publish,
    ReadGroup,
    Row,
    Start,
    Stop,
    TakeoverStep,
)


def row(
    batch_no: int = 7,
    *,
    offset: int = 70,
    owner: str | None = None,
    pending: tuple[int, ...] = (),
    stopped: str | None = None,
) -> Row:
    return Row(batch_no, {"inbound": offset}, owner, pending, stopped)


def group(batch_no: int | None, offset: int = 70) -> Group:
    return Group(batch_no, {} if batch_no is None else {"inbound": offset})


def after_row(stored: Row, *, holds: bool = False, assigned: bool = True) -> TakeoverStep:
    return protocol.after_row(me="me", holds=holds, assigned=assigned, row=stored)


def after_group(stored: Row, read: Group, *, waited_s: float = STALE_READ_LIMIT_S) -> TakeoverStep:
    return protocol.after_group(row=stored, group=read, waited_s=waited_s)


def test_a_row_without_an_owner_is_claimed_without_fencing_anybody() -> None:
    assert after_row(row()) == Claim(None)


def test_the_owner_of_a_row_is_fenced_first() -> None:
    assert after_row(row(owner="other")) == Fence("other")


def test_a_row_that_names_this_term_though_it_does_not_hold_the_lane_ends_the_term() -> None:
    assert isinstance(after_row(row(owner="me")), EndTerm)
    assert isinstance(after_row(row(owner="me"), assigned=False), EndTerm)


def test_nothing_is_taken_over_that_is_not_assigned() -> None:
    assert after_row(row(), assigned=False) == Abandon()
    assert after_row(row(owner="other"), assigned=False) == Abandon()


def test_a_stopped_lane_is_not_taken_over_and_nobody_is_fenced_for_it() -> None:
    assert after_row(row(owner="other", stopped="poison")) == Stop("poison")


def test_who_was_fenced_is_expected_in_the_row() -> None:
    assert protocol.after_fence(assigned=True, owner="other") == Claim("other")


def test_a_lane_that_was_reassigned_during_the_fence_is_left_to_the_other() -> None:
    assert protocol.after_fence(assigned=False, owner="other") == Abandon()


def test_the_group_is_read_only_when_the_row_is_claimed() -> None:
    assert protocol.after_claim(outcome=Outcome.OK) == ReadGroup()


def test_who_loses_the_claim_backs_off() -> None:
    assert protocol.after_claim(outcome=Outcome.REFUSED) == BackOff()


@given(lost=st.integers(1, 10_000), spread=st.floats(0, 1))
def test_a_lost_claim_is_tried_again_later_and_later_but_in_time(lost: int, spread: float) -> None:
    wait_s = protocol.back_off_s(lost=lost, spread=spread)
    assert BACK_OFF_FIRST_S / 2 <= wait_s <= BACK_OFF_LAST_S
    assert wait_s <= protocol.back_off_s(lost=lost + 1, spread=spread)
    # Who has lost more often waits longer than who lost for the first time, however they are spread.
    assert lost < 3 or wait_s > BACK_OFF_FIRST_S


def test_a_claim_without_an_answer_ends_the_term_and_counts_as_nobodys_fence() -> None:
    step = protocol.after_claim(outcome=Outcome.UNKNOWN)
    assert isinstance(step, EndTerm)
    assert not step.fenced


def test_a_new_lane_starts() -> None:
    assert after_group(Row(0, {}, "me"), group(None)) == Start()


def test_a_lane_that_is_published_to_its_last_batch_starts() -> None:
    assert after_group(row(), group(7)) == Start()


def test_a_lane_whose_last_batches_are_still_listed_as_pending_but_published_starts() -> None:
    assert after_group(row(pending=(6, 7)), group(7)) == Start()


@pytest.mark.parametrize("published", [5, 6])
def test_what_is_pending_and_not_published_is_published(published: int) -> None:
    assert after_group(row(pending=(6, 7)), group(published, offset=60)) == Publish(published)


def test_the_first_batch_of_a_lane_is_published_when_the_group_has_no_offset_yet() -> None:
    assert after_group(row(1, pending=(1,)), group(None)) == Publish(0)


def test_a_batch_that_moved_no_offset_is_published_by_its_number() -> None:
    assert after_group(row(pending=(7,)), group(6, offset=70)) == Publish(6)


@pytest.mark.parametrize("read", [group(None), group(6, offset=60)])
def test_a_group_that_is_behind_the_row_is_read_again_for_a_while(read: Group) -> None:
    assert after_group(row(), read, waited_s=0.0) == BackOff(read_again=True)
    assert after_group(row(), read, waited_s=30.0) == BackOff(read_again=True), "a broker may start meanwhile"
    assert isinstance(after_group(row(), read, waited_s=STALE_READ_LIMIT_S), Stop)


def test_a_group_that_is_ahead_of_the_row_stops_the_lane_at_once() -> None:
    assert isinstance(after_group(row(), group(8, offset=80), waited_s=0.0), Stop)


def test_a_group_that_lacks_more_than_is_pending_stops_the_lane() -> None:
    assert isinstance(after_group(row(pending=(6, 7)), group(4, offset=40)), Stop)


def test_equal_numbers_with_another_offset_stop_the_lane() -> None:
    assert isinstance(after_group(row(), group(7, offset=69), waited_s=0.0), Stop)
    assert isinstance(after_group(row(), group(7, offset=71), waited_s=0.0), Stop)


def test_an_offset_ahead_of_what_was_processed_stops_the_lane_whatever_its_number() -> None:
    assert isinstance(after_group(row(pending=(7,)), group(6, offset=71), waited_s=0.0), Stop)


def test_an_input_that_the_row_does_not_know_yet_does_not_matter() -> None:
    assert after_group(row(), Group(7, {"inbound": 70, "added-later": 3})) == Start()


def test_why_a_lane_was_stopped_tells_both_sides() -> None:
    step = after_group(row(pending=(7,)), group(9, offset=90))
    assert isinstance(step, Stop)
    for told in ("batch 9", "'inbound': 90", "batch 7", "'inbound': 70", "[7]"):
        assert told in step.reason


@given(
    batch_no=st.integers(0, 9),
    pending=st.integers(0, 3),
    published=st.none() | st.integers(-1, 12),
    waited_s=st.floats(0, 2 * STALE_READ_LIMIT_S),
)
def test_only_batches_that_follow_what_is_published_are_ever_published(
    batch_no: int, pending: int, published: int | None, waited_s: float
) -> None:
    numbers = tuple(range(batch_no + 1 - min(pending, batch_no), batch_no + 1))
    step = after_group(row(batch_no, pending=numbers), group(published), waited_s=waited_s)
    match step:
        case Start():
            assert (published or 0) == batch_no
        case Publish(above):
            assert above == (published or 0)
            assert [number for number in numbers if number > above] == [*range(above + 1, batch_no + 1)]
        case BackOff(read_again=True):
            assert waited_s < STALE_READ_LIMIT_S
        case _:
            assert isinstance(step, Stop)


def test_a_lane_starts_when_what_was_pending_is_published() -> None:
    assert protocol.after_takeover_publish(outcome=Outcome.OK) == Start()


After = Callable[..., TakeoverStep | None]
AFTER: list[After] = [
    protocol.after_takeover_publish,
    protocol.after_store,
    protocol.after_publish,
    protocol.after_stop,
]


@pytest.mark.parametrize("after", AFTER)
def test_a_refusal_ends_the_term_as_fenced(after: After) -> None:
    end = after(outcome=Outcome.REFUSED)
    assert isinstance(end, EndTerm)
    assert end.fenced


@pytest.mark.parametrize("after", AFTER)
def test_an_unknown_outcome_ends_the_term_and_counts_as_nobodys_fence(after: After) -> None:
    end = after(outcome=Outcome.UNKNOWN)
    assert isinstance(end, EndTerm)
    assert not end.fenced
    assert "unknown" in end.reason


@pytest.mark.parametrize("after", AFTER[1:])
def test_what_succeeded_lets_the_term_go_on(after: After) -> None:
    assert after(outcome=Outcome.OK) is None


def test_releasing_a_row_that_is_not_mine_ends_the_term() -> None:
    assert isinstance(protocol.after_release(outcome=Outcome.REFUSED), EndTerm)


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.UNKNOWN])
def test_a_lane_is_let_go_even_when_the_answer_to_its_release_is_lost(outcome: Outcome) -> None:
    assert protocol.after_release(outcome=outcome) is None


def test_only_what_is_wholly_confirmed_is_released() -> None:
    assert protocol.may_release(unconfirmed=0)
    assert not protocol.may_release(unconfirmed=1)
