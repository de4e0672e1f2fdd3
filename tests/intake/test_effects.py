"""What batches do, as a pure function of their records: order, positions, duplicates, sessions, routes.

Hypothesis invents what customers, the page's side, the desk and the timers do; the records are applied one
at a time to conversations in memory, without Postgres. The laws are checked on what came out, and the same
records in one batch must give the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Kind, time_text
from schemas.ids import message_id_text
from tests.intake.in_memory import SILENCE_MS, Intake
from tests.intake.log import PAGE, WORKSPACE, Log, key_of
from workers.routing.intake.conversation import Conversation
from workers.runtime.batch import Record

USERS = ("u1", "u2", "u3")


class Act(NamedTuple):
    """One thing that happens: `what` of say, echo, event, timer, wait."""

    what: str
    user: str
    number: int


ACTS = st.lists(
    st.builds(
        Act,
        st.sampled_from(["say", "say", "say", "echo", "event", "event", "timer", "wait"]),
        st.sampled_from(USERS),
        st.integers(min_value=0, max_value=11),
    ),
    max_size=60,
)
STANDINGS = ("idle", "held", "queued", "offered")


@dataclass
class Story:
    """What happened: the records, and what intake made of them one by one."""

    log: Log = field(default_factory=Log)
    intake: Intake = field(default_factory=Intake)
    records: list[Record] = field(default_factory=list)
    chains: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def happen(self, act: Act) -> None:
        """Do it, and check what must hold from one record to the next."""
        if act.what == "wait":
            self.log.wait(milliseconds=act.number * SILENCE_MS / 8)
            return
        record = self._append(act)
        if record is None:
            return
        before = len(self.intake.stored)
        self.records.append(record)
        self.intake.apply([record])
        conversation = self.intake.find(act.user)
        if act.what == "say" and len(self.intake.stored) > before and conversation is not None:
            assert conversation.session_open
            assert conversation.standing != "idle" or conversation.route_unanswered

    def _append(self, act: Act) -> Record | None:
        conversation = self.intake.find(act.user)
        mid = f"{act.user}-{act.number}"
        if act.what == "say":
            return self.log.say(act.user, mid)
        if act.what == "echo":
            author = "human" if act.number % 2 else "bot"
            return self.log.say(act.user, mid, what="echo", author=author)
        if conversation is None:
            return None
        if act.what == "timer":
            return self._timer(act.user, conversation)
        return self._event(act, conversation)

    def _timer(self, user: str, conversation: Conversation) -> Record | None:
        due_ms, conversation.timer_at_ms = conversation.timer_at_ms, None
        if due_ms is None:
            return None
        value = {
            "workspace": WORKSPACE,
            "conversation": conversation.id,
            "session": conversation.session,
            "due_at": time_text(due_ms),
        }
        return self.log.append(Kind("actions", "session_timer"), key_of(user), value)

    def _event(self, act: Act, conversation: Conversation) -> Record:
        standing = STANDINGS[act.number % 4]
        self.chains[act.user] += 1
        return self.log.decide(
            act.user,
            self.chains[act.user],
            "assigned" if standing == "held" else "session_opened",
            standing=standing,
            holder="lan" if standing == "held" else None,
            session=conversation.session,
        )


def told(acts: Sequence[Act]) -> Story:
    """The story of these acts."""
    story = Story()
    for act in acts:
        story.happen(act)
    return story


@given(ACTS)
@settings(max_examples=150, deadline=None)
def test_positions_have_no_gaps_and_follow_the_log(acts: Sequence[Act]) -> None:
    story = told(acts)
    for user in USERS:
        lines = [value for value in story.intake.stored if value["key"] == key_of(user)]
        assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
        expected = dict.fromkeys(
            message_id_text(PAGE, f"{act.user}-{act.number}")
            for act in acts
            if act.user == user and act.what in {"say", "echo"}
        )
        assert [line["message"] for line in lines if line["kind"] != "log"] == list(expected)
        assert [line["session"] for line in lines] == sorted(line["session"] for line in lines)
        assert [line["seq"] for line in lines] == sorted(line["seq"] for line in lines)


@given(ACTS)
@settings(max_examples=150, deadline=None)
def test_each_assigned_event_gives_one_line_under_its_number(acts: Sequence[Act]) -> None:
    story = told(acts)
    for user in USERS:
        events = [act for act in acts if act.user == user and act.what == "event"]
        numbers = [
            line["seq"]
            for line in story.intake.stored
            if line["key"] == key_of(user) and line["kind"] == "log"
        ]
        conversation = story.intake.find(user)
        applied = 0 if conversation is None else conversation.seq
        assert applied <= len(events)
        assert len(set(numbers)) == len(numbers)
        assert all(number <= applied for number in numbers)


@given(ACTS)
@settings(max_examples=150, deadline=None)
def test_sessions_open_with_a_customers_message_and_end_before_the_next(acts: Sequence[Act]) -> None:
    story = told(acts)
    lines = {(line["key"], line["position"]): line for line in story.intake.stored}
    for user in USERS:
        opened = [one for one in story.intake.openings if one.conversation.user == user]
        ended = [one for one in story.intake.endings if one.conversation.user == user]
        assert [one.session for one in opened] == list(range(1, len(opened) + 1))
        assert [one.session for one in ended] == list(range(1, len(ended) + 1))
        assert len(opened) - len(ended) in {0, 1}
        for opening in opened:
            first = lines[key_of(user), opening.first_position]
            assert (first["sender"], first["session"]) == ("customer", opening.session)
        for ending, opening in zip(ended, opened, strict=False):
            said = [
                line["stored_at"]
                for line in story.intake.stored
                if (line["key"], line["sender"], line["session"])
                == (key_of(user), "customer", ending.session)
            ]
            assert ending.ended_at_ms >= opening.opened_at_ms + SILENCE_MS
            assert time_text(ending.ended_at_ms - SILENCE_MS) >= said[-1]


@given(ACTS)
@settings(max_examples=150, deadline=None)
def test_the_desk_is_told_of_each_session_once_and_never_asked_twice(acts: Sequence[Act]) -> None:
    story = told(acts)
    for user in USERS:
        commands = [(what, v) for what, v in story.intake.commands if v["key"] == key_of(user)]
        opened = [one for one in story.intake.openings if one.conversation.user == user]
        opens = [v for what, v in commands if what == "route" and v["opens_session"]]
        assert [(v["session"], v["position"]) for v in opens] == [
            (one.session, one.first_position) for one in opened
        ]
        ends = [v for what, v in commands if what == "session_ended"]
        assert [v["session"] for v in ends] == list(range(1, len(ends) + 1))
        for ended in ends:
            counts: Counter[tuple[str, bool]] = Counter()
            for line in story.intake.stored:
                if (line["key"], line["session"]) == (key_of(user), ended["session"]):
                    counts[line["sender"], line["position"] <= ended["position"]] += 1
            assert ended["customer_messages"] == counts["customer", True]
            assert not counts["customer", False]
        for (before, first), (after, second) in pairwise(commands):
            if before == after == "route":
                assert first["session"] == second["session"]
                assert first["position"] < second["position"]


@given(ACTS, st.integers(min_value=1, max_value=9))
@settings(max_examples=150, deadline=None)
def test_how_records_fall_into_batches_makes_no_difference(acts: Sequence[Act], size: int) -> None:
    story = told(acts)
    again = Intake()
    batches = [
        again.apply(story.records[start : start + size]) for start in range(0, len(story.records), size)
    ]
    for user in USERS:
        assert again.of(user) == story.intake.of(user)
    ids = [event.headers[1][1] for batch in batches for events in batch.events.values() for event in events]
    assert len(set(ids)) == len(ids)
