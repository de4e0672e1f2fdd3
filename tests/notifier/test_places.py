"""Buckets: each agent sees each conversation in at most one, and what they count adds up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.notifier.history import invent
from workers.notifier.conversation import Conversation
from workers.notifier.counters import CounterRef, differences
from workers.notifier.places import Bucket, Sum, Viewer, add_up, bucket, counted

AGENTS = ("an", "binh", "chi")
PAGES = ("messenger:1", "zalo:2", "fchat:3")
AUDIENCES = ("rule:r/0", "rule:r/1", *(f"page:{page}" for page in PAGES), *(f"admins:{p}" for p in PAGES))

stands = st.tuples(
    st.one_of(st.none(), st.sampled_from(AGENTS)),
    st.one_of(st.none(), st.sampled_from(AUDIENCES)),
    st.sampled_from(PAGES),
    st.integers(0, 9),
)
viewers = st.builds(
    Viewer,
    st.sampled_from(AGENTS),
    st.frozensets(st.sampled_from(PAGES)),
    st.frozensets(st.sampled_from(AUDIENCES)),
)


@given(conversations=st.lists(stands, max_size=40), viewer=viewers)
def test_counters_add_up_to_what_is_in_each_bucket(
    conversations: list[tuple[str | None, str | None, str, int]], viewer: Viewer
) -> None:
    sums: dict[tuple[str, str], list[int]] = {}
    expected: dict[Bucket, list[int]] = {}
    for holder, offered_to, page, unread in conversations:
        audience = None if holder else offered_to
        for place in counted(holder, audience, unread).places:
            numbers = sums.setdefault((place, page), [0, 0])
            numbers[0], numbers[1] = numbers[0] + 1, numbers[1] + unread
        name = bucket(holder, audience, page, viewer)
        if name is not None:
            counts = expected.setdefault(name, [0, 0])
            counts[0], counts[1] = counts[0] + 1, counts[1] + unread

    found = add_up((Sum(*ref, *numbers) for ref, numbers in sums.items()), viewer)
    assert found == {name: tuple(counts) for name, counts in expected.items()}


@given(stand=stands, viewer=viewers)
def test_a_conversation_is_seen_by_who_holds_it_by_its_admins_and_by_those_it_is_offered_to(
    stand: tuple[str | None, str | None, str, int], viewer: Viewer
) -> None:
    holder, audience, page, _ = stand
    audience = None if holder else audience
    concerns_him = holder == viewer.agent or page in viewer.pages or audience in viewer.audiences
    assert (bucket(holder, audience, page, viewer) is not None) == concerns_him


def test_the_buckets_by_name() -> None:
    viewer = Viewer("an", frozenset({"zalo:2"}), frozenset({"rule:r/0"}))
    assert bucket(None, "rule:r/0", "messenger:1", viewer) == "unclaimed"
    assert bucket(None, None, "zalo:2", viewer) == "unclaimed"
    assert bucket("an", None, "zalo:2", viewer) == "mine"
    assert bucket("binh", None, "zalo:2", viewer) == "watching"
    assert bucket("an", None, "messenger:1", viewer) == "assigned"
    assert bucket("binh", None, "messenger:1", viewer) is None
    assert bucket(None, "rule:r/1", "messenger:1", viewer) is None


def test_no_event_changes_more_counters_than_the_place_it_leaves_and_the_one_it_comes_to() -> None:
    conversation = Conversation("acme", invent(1, "u1", 1).conversation, 3, page="zalo:2")
    conversation.seq, conversation.audience, conversation.in_session = 1, "rule:r/0", 2
    first = differences([conversation])
    conversation.stored_count = conversation.count
    conversation.audience, conversation.holder = None, "an"
    conversation.seat("an").unread = 2
    changes = differences([conversation])

    assert first == {
        CounterRef("acme", "unheld", "zalo:2", 3): (1, 2),
        CounterRef("acme", "rule:r/0", "zalo:2", 3): (1, 2),
    }
    assert changes == {
        CounterRef("acme", "unheld", "zalo:2", 3): (-1, -2),
        CounterRef("acme", "rule:r/0", "zalo:2", 3): (-1, -2),
        CounterRef("acme", "held", "zalo:2", 3): (1, 2),
        CounterRef("acme", "agent:an", "zalo:2", 3): (1, 2),
    }


def test_what_changes_nothing_counted_writes_no_counter() -> None:
    conversation = Conversation("acme", invent(1, "u1", 1).conversation, 3, page="zalo:2", seq=1)
    conversation.stored_count = conversation.count
    conversation.seq = 2
    assert Counter(differences([conversation])) == Counter()
