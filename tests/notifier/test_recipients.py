"""Who is told what, over any interleaving of the two topics."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.assignments import Blocked, ChainEvent, Followed, Muted, Quieted, Unfollowed
from tests.notifier.follower import Follower, interleave
from tests.notifier.history import BEGIN, History, invent
from workers.notifier.places import Counted
from workers.notifier.recipients import BrokenChainError
from workers.notifier.told import Told


@given(seed=st.integers(0, 2**32), length=st.integers(0, 80), order=st.integers(0, 2**32))
def test_any_interleaving_tells_the_same_and_counts_the_same(seed: int, length: int, order: int) -> None:
    history = invent(seed, "u1", length)
    follower = Follower(history)
    follower.take_all(interleave(history, order))

    assert Counter(follower.notified()) == Counter(history.expected())
    assert Counter(follower.announced) == Counter(history.expected_announcements())
    conversation = follower.conversation
    assert {agent for agent, _ in conversation.live_seats()} == history.expected_live()
    for agent, seat in conversation.seats.items():
        assert (agent, seat.unread) == (agent, history.expected_unread(agent))
    count = conversation.count
    assert (count and (set(count.places), count.unread)) == history.expected_count()


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
    assert told.message is not None
    assert told.message.text == "dòng 1"
    assert told.more == {"how": "round_robin", "by": None}


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

    assert [(told.agent, told.what, told.unread) for told in follower.told] == [
        ("an", "assigned", 1),
        ("binh", "assigned", 1),
        ("an", "unassigned", 1),
        ("an", "message", 2),
    ]
    assert (follower.unread("an"), follower.unread("binh")) == (2, 2)


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


def test_a_former_holder_is_told_until_he_unfollows_and_never_after_a_refusal() -> None:
    for how, expected in (("released", ["unassigned", "message"]), ("refused", ["unassigned"])):
        history = first_message()
        history.unassign(how, by="agent:acme/an", after_position=1)
        history.say("customer", seq=3, epoch=1)
        history.decide(Unfollowed, holder=None, after_position=1, agent="an")
        history.say("customer", seq=4, epoch=1)
        follower = Follower(history)
        follower.take_all([history.messages[0], *history.steps, *history.messages[1:]])

        assert [told.what for told in follower.told[1:]] == expected
        assert follower.told[1].more == {"to": None, "how": how, "by": "agent:acme/an"}
        assert follower.conversation.holder is None
        assert follower.unread("an") == 0


def test_a_mute_silences_messages_until_one_is_given_it_again() -> None:
    history = first_message()
    history.decide(Muted, holder="an", after_position=1, agent="an")
    history.say("customer", seq=3, epoch=1)
    history.assign("binh", after_position=2)
    history.assign("an", after_position=2)
    history.say("customer", seq=5, epoch=3)
    follower = Follower(history)
    follower.take_all([history.messages[0], *history.steps, *history.messages[1:]])

    assert [(told.what, told.seq) for told in follower.told if told.agent == "an"] == [
        ("assigned", 2),
        ("unassigned", 4),
        ("assigned", 5),
        ("message", 5),
    ]
    assert follower.unread("an") == 3


@pytest.mark.parametrize("silenced_by", [Muted, Unfollowed])
def test_a_holder_who_has_silenced_it_is_told_of_no_message_and_all_are_counted(
    silenced_by: type[ChainEvent],
) -> None:
    history = first_message()
    history.decide(silenced_by, holder="an", after_position=1, agent="an")
    for _ in range(2):
        history.say("customer", seq=3, epoch=1)
    follower = Follower(history)
    follower.take_all([history.messages[0], *history.steps, *history.messages[1:]])

    assert [told.what for told in follower.told] == ["assigned"]
    assert follower.unread("an") == 3
    assert follower.conversation.count == Counted(("held", "agent:an"), 3)
    follower.take(history.read("an", 3, seq=3, epoch=1))
    assert follower.conversation.count == Counted(("held", "agent:an"), 0)


@pytest.mark.parametrize("silenced_by", [Muted, Unfollowed])
def test_what_silences_messages_hides_not_that_one_loses_it_and_is_given_it_again(
    silenced_by: type[ChainEvent],
) -> None:
    history = first_message()
    history.decide(silenced_by, holder="an", after_position=1, agent="an")
    history.unassign("taken_off", by="agent:acme/chu", after_position=1)
    history.say("customer", seq=4, epoch=1)
    history.assign("an", after_position=2)
    history.say("customer", seq=5, epoch=2)
    follower = Follower(history)
    follower.take_all([history.messages[0], *history.steps[:4], history.messages[1]])
    follower.take_all([*history.steps[4:], *history.messages[2:]])

    assert [told.what for told in follower.told] == ["assigned", "unassigned", "assigned", "message"]
    assert (follower.told[-1].unread, follower.unread("an")) == (3, 3)


def test_a_former_holder_whom_the_policy_does_not_let_follow_is_told_of_the_hand_over_alone() -> None:
    history = first_message()
    history.assign("binh", after_position=1)
    history.decide(Unfollowed, holder="binh", after_position=1, agent="an")
    history.say("customer", seq=4, epoch=2)
    follower = Follower(history)
    follower.take_all([history.messages[0], *history.steps, *history.messages[1:]])

    told = [(one.agent, one.what) for one in follower.told]
    assert told == [("an", "assigned"), ("binh", "assigned"), ("an", "unassigned"), ("binh", "message")]
    assert (follower.unread("an"), follower.unread("binh")) == (0, 2)
    assert follower.conversation.count == Counted(("held", "agent:binh"), 2)


def test_a_human_who_answers_outside_withdraws_the_offer_and_tells_nobody() -> None:
    history = History("u1", sessions=[1])
    history.say("customer", seq=0, epoch=0)
    history.open(None, after_position=1)
    history.offer("page:messenger:page-1", after_position=1)
    until = {"until": BEGIN + timedelta(minutes=30)}
    history.decide(Quieted, holder=None, after_position=1, care="waiting", **until)
    history.say("customer", seq=3, epoch=0)
    follower = Follower(history)
    follower.take_all([history.messages[0], *history.steps, *history.messages[1:]])

    assert follower.told == []
    assert [what for what, *_ in follower.announced] == ["offered", "withdrawn"]
    assert follower.conversation.count == Counted(("unheld",), 2)


def test_a_blocked_customer_notifies_nobody() -> None:
    history = first_message()
    history.decide(Blocked, holder="an", after_position=1, until=None, by="agent:acme/an", command="k")
    history.say("customer", seq=3, epoch=1)
    follower = Follower(history)
    follower.take_all([*history.steps, *history.messages])

    assert [told.what for told in follower.told] == ["assigned"]
    assert follower.unread("an") == 1  # the first: what he writes while he is kept out is nobody's to read


def test_whoever_writes_brings_the_conversation_to_the_top_and_nothing_else_does() -> None:
    history = first_message()
    history.say("agent", seq=2, epoch=1)
    for sender in ("bot", "system"):
        history.say(sender, seq=2, epoch=1)
    history.say("agent", seq=2, epoch=1, mentions=("binh",))
    history.decide(Blocked, holder="an", after_position=1, until=None, by="agent:acme/an", command="k")
    history.say("customer", seq=3, epoch=1)
    first, answer = (heard.message.stored_at for heard in history.messages[:2])

    follower = Follower(history)
    follower.take_all([*history.messages[:1], *history.steps[:2]])
    assert follower.conversation.last_at == first
    follower.take_all([*history.messages[1:5], *history.steps[2:], *history.messages[5:]])
    assert follower.conversation.last_at == answer > first

    late = Follower(history)
    late.take_all([*history.steps, *history.messages])
    assert late.conversation.last_at == answer


def test_a_read_mark_leaves_what_is_behind_it_and_never_goes_back() -> None:
    history = first_message()
    for _ in range(3):
        history.say("customer", seq=2, epoch=1)
    follower = Follower(history)
    follower.take_all([*history.steps, *history.messages])
    for position, left in ((3, 1), (2, 1), (4, 0)):
        follower.take(history.read("an", position, seq=2, epoch=1))
        assert follower.unread("an") == left

    reads = [each for each in follower.everything if isinstance(each, Told) and each.what == "read"]
    assert [(each.agent, each.unread) for each in reads] == [("an", 1), ("an", 0)]


def test_what_was_read_before_following_stays_read() -> None:
    history = first_message()
    history.say("customer", seq=2, epoch=1)
    history.decide(Followed, holder="an", after_position=1, agent="chi")
    follower = Follower(history)
    follower.take_all([*history.messages, history.read("chi", 2, seq=2, epoch=1), *history.steps])

    assert follower.unread("chi") == 0


def test_a_note_tells_those_it_names_but_not_its_author() -> None:
    history = first_message()
    history.say("agent", seq=2, epoch=1, mentions=("binh", "an", "binh"))
    follower = Follower(history)
    follower.take_all([*history.steps, *history.messages])

    assert [(told.what, told.agent) for told in follower.told] == [("assigned", "an"), ("mention", "binh")]
    assert follower.unread("an") == 1


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
