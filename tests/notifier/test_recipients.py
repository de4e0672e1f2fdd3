"""Who is told what, over any interleaving of the two topics."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.assignments import Assigned
from schemas.notifications import NoticeMessage
from tests.notifier.history import History, Notified, Step, invent
from workers.notifier.carried import Carried
from workers.notifier.conversation import Conversation, Heard
from workers.notifier.inbox import InboxChanges
from workers.notifier.notices import issue
from workers.notifier.recipients import (
    BrokenChainError,
    ChainStep,
    Told,
    follow,
    hear,
)

LANE = 3


class Follower:
    """Follows one history in memory."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.conversation = Conversation("acme", history.conversation, LANE)
        self.changes = InboxChanges()
        self.told: list[Told] = []

    def take(self, each: Step | Heard) -> None:
        if isinstance(each, Heard):
            self.told += hear(self.conversation, each, self.changes)
        else:
            step = ChainStep(each.id, each.event, self.carried(each))
            self.told += follow(self.conversation, step, self.changes)

    def take_all(self, everything: Iterable[Step | Heard]) -> None:
        for each in everything:
            self.take(each)

    def carried(self, step: Step) -> Carried:
        """What the transcript says, which is all stored by now."""
        event = step.event
        if not isinstance(event, Assigned):
            return Carried(None, 0)
        positions = self.history.customer_positions
        first = self.history.sessions[event.session - 1]
        latest = max((p for p in positions if p <= event.after_position), default=0)
        message = self.history.messages[latest - 1].message if latest else None
        return Carried(
            NoticeMessage.model_validate(message.model_dump()) if message else None,
            sum(first <= p <= event.after_position for p in positions),
            [p for p in positions if p > event.after_position],
        )

    def notified(self) -> list[Notified]:
        notices = map(issue, self.told)
        return [Notified(each.notice, each.agent, each.seq, each.epoch, each.position) for each in notices]

    def unread(self, agent: str) -> int:
        return self.changes.rows["acme", agent, self.history.conversation].unread


def interleave(history: History, seed: int) -> list[Step | Heard]:
    """Both logs in one order that keeps each one's own; runs of either are long or short."""
    dice = random.Random(seed)
    queues: list[list[Step | Heard]] = [list(history.steps), list(history.messages)]
    order: list[Step | Heard] = []
    while any(queues):
        queue = dice.choice([queue for queue in queues if queue])
        length = dice.choice((1, 1, 2, 5, len(queue)))
        order += queue[:length]
        del queue[:length]
    return order


@given(seed=st.integers(0, 2**32), length=st.integers(0, 60), order=st.integers(0, 2**32))
def test_any_interleaving_tells_the_same_and_counts_the_same(seed: int, length: int, order: int) -> None:
    history = invent(seed, "u1", length)
    follower = Follower(history)
    follower.take_all(interleave(history, order))

    assert Counter(follower.notified()) == Counter(history.expected())
    holder, unread = history.expected_unread()
    assert (follower.conversation.holder, follower.conversation.unread) == (holder, unread)
    rows = {agent: row for (_, agent, _), row in follower.changes.rows.items()}
    assert set(rows) == history.expected_agents()
    for agent, row in rows.items():
        assert (row.holds, row.unread) == ((True, unread) if agent == holder else (False, 0))
        counter = follower.changes.counters["acme", agent, LANE]
        assert (counter.conversations, counter.unread) == (int(row.holds), row.unread)


@given(seed=st.integers(0, 2**32), length=st.integers(0, 60), order=st.integers(0, 2**32))
def test_nothing_is_kept_that_messages_have_passed(seed: int, length: int, order: int) -> None:
    history = invent(seed, "u1", length)
    follower = Follower(history)
    follower.take_all(interleave(history, order))

    conversation = follower.conversation
    assert not conversation.held
    assert conversation.held_to == 0
    named = history.messages[-1].message.seq
    assert [recipients.seq for recipients in conversation.sets] == list(
        range(max(named, 1), len(history.steps) + 1)
    )


@given(seed=st.integers(0, 2**32), length=st.integers(0, 40), order=st.integers(0, 2**32))
def test_what_comes_again_has_no_effect(seed: int, length: int, order: int) -> None:
    history = invent(seed, "u1", length)
    follower = Follower(history)
    everything = interleave(history, order)
    follower.take_all(each for each in everything for _ in range(2))

    assert Counter(follower.notified()) == Counter(history.expected())


def first_message() -> History:
    """A customer wrote once, and An got the conversation."""
    history = History("u1", sessions=[1])
    history.say("customer", seq=0, epoch=0)
    history.open(None, after_position=1)
    history.assign("an", after_position=1)
    return history


def test_the_first_message_is_carried_by_the_assigned_notice() -> None:
    history = first_message()
    follower = Follower(history)
    follower.take_all([*history.messages, *history.steps])

    (told,) = follower.told
    assert (told.agent, told.epoch, told.unread) == ("an", 1, 1)
    assert told.carried is not None
    assert told.carried.text == "dòng 1"


def test_a_further_message_tells_its_holder_what_is_unread() -> None:
    history = first_message()
    history.say("customer", seq=2, epoch=1)
    follower = Follower(history)
    follower.take_all([*history.messages[:1], *history.steps, *history.messages[1:]])

    assert [told.unread for told in follower.told] == [1, 2]
    assert follower.told[-1].about == history.messages[-1].message


def test_bots_agents_and_log_lines_tell_nobody() -> None:
    history = first_message()
    for sender in ("bot", "agent", "system"):
        history.say(sender, seq=2, epoch=1)
    follower = Follower(history)
    follower.take_all([*history.messages[:1], *history.steps, *history.messages[1:]])

    assert len(follower.told) == 1
    assert follower.unread("an") == 1


def test_a_message_before_its_chain_number_waits_and_so_does_what_follows() -> None:
    history = first_message()
    history.say("customer", seq=2, epoch=1)
    history.say("customer", seq=2, epoch=1)
    follower = Follower(history)
    follower.take_all([*history.messages, history.steps[0]])
    assert follower.told == []

    follower.take(history.steps[1])
    assert [told.about for told in follower.told] == [
        history.steps[1].event,
        history.messages[1].message,
        history.messages[2].message,
    ]
    assert follower.unread("an") == 3


def test_a_message_that_crossed_a_hand_over_tells_the_former_and_counts_for_the_new() -> None:
    history = first_message()
    history.say("customer", seq=2, epoch=1)
    history.assign("binh", after_position=1)
    follower = Follower(history)
    follower.take_all([history.messages[0], *history.steps, history.messages[1]])

    assert [(told.agent, told.unread) for told in follower.told] == [("an", 1), ("binh", 1), ("an", 0)]
    assert (follower.unread("an"), follower.unread("binh")) == (0, 2)


def test_nothing_overtakes_a_message_that_waits() -> None:
    history = first_message()
    history.say("customer", seq=2, epoch=1)
    history.say("customer", seq=0, epoch=0)
    follower = Follower(history)
    follower.take_all([history.messages[0], *history.messages[1:]])

    assert follower.told == []
    assert [heard.message.position for heard in follower.conversation.held] == [2, 3]


def test_a_message_that_the_assigned_notice_carried_gives_none_of_its_own() -> None:
    history = History("u1", sessions=[1])
    history.say("customer", seq=1, epoch=1)
    history.assign("an", after_position=1)
    follower = Follower(history)
    follower.take_all([*history.steps, *history.messages])

    assert len(follower.told) == 1
    assert follower.unread("an") == 1


def test_nobody_is_told_while_it_is_queued() -> None:
    history = first_message()
    history.queue(after_position=1)
    history.say("customer", seq=3, epoch=1)
    follower = Follower(history)
    follower.take_all([history.messages[0], *history.steps, history.messages[1]])

    assert len(follower.told) == 1
    assert follower.conversation.holder is None


def test_a_gap_in_the_chain_is_refused() -> None:
    history = first_message()
    follower = Follower(history)
    with pytest.raises(BrokenChainError, match="event 2 came after 0"):
        follower.take(history.steps[1])


def test_a_holder_to_whom_nothing_was_assigned_is_refused() -> None:
    history = History("u1", sessions=[1])
    history.open("an", after_position=1)
    with pytest.raises(BrokenChainError, match="not assigned"):
        Follower(history).take(history.steps[0])


def test_a_transcript_that_goes_back_is_refused() -> None:
    history = first_message()
    history.say("customer", seq=2, epoch=1)
    history.say("customer", seq=1, epoch=0)
    follower = Follower(history)
    with pytest.raises(LookupError, match="went back"):
        follower.take_all([*history.steps, *history.messages])
