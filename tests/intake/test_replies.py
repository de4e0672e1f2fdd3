"""Reply is a claim: answers to an offered conversation wait for the desk, and none is lost or sent twice."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.asks import ReplyClaim
from schemas.base import Json
from schemas.ids import desk_key
from tests.intake.chat import Chat, offered, started
from tests.intake.in_memory import Intake
from tests.intake.log import WORKSPACE, published
from workers.routing.intake.replies import OF_CONVERSATION_MAX, OF_SENDER_MAX
from workers.runtime.batch import Record


def outcomes(chat: Chat) -> list[tuple[str, str | None]]:
    """What became of the actions, in the order in which it was decided: who, and the code of a refusal."""
    return [(value["actor"].partition("/")[2], value.get("code")) for _, value in chat.intake.outcomes]


class TestAnAnswerToWhatIsOffered:
    def test_waits_and_asks_the_desk(self) -> None:
        chat = offered()
        batch = chat.apply(chat.log.act("u1", "say", text="tôi đây"))
        assert chat.intake.outcomes == []
        assert chat.said() == []
        ((what, value),) = published(batch, "commands")
        claim = ReplyClaim.model_validate(value)
        assert (what, claim.by, claim.actor) == ("reply_claim", "lan", "agent:acme/lan")
        (event,) = [event for events in batch.events.values() for event in events]
        assert event.key == desk_key(WORKSPACE).encode()

    def test_is_sent_when_its_sender_gets_it(self) -> None:
        chat = offered()
        chat.waits(text="một")
        chat.held_by("lan")
        assert chat.said() == ["một"]
        assert outcomes(chat) == [("lan", None)]
        kinds = [line.get("code") or line["text"] for line in chat.intake.stored[-2:]]
        assert kinds == ["assigned", "một"], "the log line comes first"
        assert (chat.intake.held, chat.conversation.replies) == (set(), [])

    def test_is_not_sent_when_somebody_else_gets_it(self) -> None:
        chat = offered()
        claim = chat.waits(text="một")
        chat.held_by("minh")
        assert (chat.said(), outcomes(chat)) == ([], [])
        details = {"winner": "minh", "earlier_ms": 12}
        chat.refuse_reply(claim, code="taken", allowed=["take_over"], details=details)
        assert (chat.said(), outcomes(chat)) == ([], [("lan", "taken")])
        told = chat.intake.outcomes[0][1]
        assert (told["details"], told["allowed"]) == (details, ["take_over"]), "as the desk says"

    def test_goes_back_when_the_desk_refuses_it(self) -> None:
        chat = offered()
        claim = chat.waits(text="một")
        chat.refuse_reply("reply/of-another")
        assert outcomes(chat) == []
        chat.refuse_reply(claim)
        assert outcomes(chat) == [("lan", "not_listed")]
        chat.refuse_reply(claim)
        assert len(outcomes(chat)) == 1

    def test_has_those_that_follow_behind_it(self) -> None:
        chat = offered()
        chat.waits(text="một")
        chat.waits(text="hai")
        claim = chat.waits(text="của minh", by="minh")
        assert chat.commands() == ["route", "reply_claim", "reply_claim"], "one for each sender"
        chat.held_by("lan")
        chat.refuse_reply(claim, code="taken")
        assert chat.said() == ["một", "hai"]
        assert outcomes(chat) == [("lan", None), ("lan", None), ("minh", "taken")]

    def test_has_them_behind_it_also_when_it_is_offered_no_more(self) -> None:
        chat = offered()
        chat.waits(text="một")
        chat.desk("queued")
        chat.waits(text="hai")
        assert chat.refusal("say", text="của minh", by="minh") == "not_holder"
        chat.held_by("lan")
        assert chat.said() == ["một", "hai"]

    def test_is_repeated_without_effect_while_it_waits(self) -> None:
        chat = offered()
        record = chat.log.act("u1", "say", text="một", idempotency_key="k")
        chat.apply(record)
        chat.apply(record)
        assert chat.refusal("say", text="khác", idempotency_key="k") == "key_reused"
        chat.held_by("lan")
        assert chat.said() == ["một"]

    def test_does_not_claim_where_the_rule_does_not_say_so(self) -> None:
        for rule in ("sales", None):
            chat = started()
            chat.offered(rule)
            assert chat.refusal("say", text="một") == "not_holder"

    def test_goes_back_when_the_session_ends_first(self) -> None:
        chat = offered()
        chat.waits(text="một")
        chat.apply(chat.log.act("u1", "end_session", by="hoa", authority="admin"))
        assert ("lan", "expired") in outcomes(chat)
        chat.held_by("lan")
        assert chat.said() == []

    def test_goes_back_when_its_customer_is_blocked(self) -> None:
        chat = offered()
        chat.waits(text="một")
        chat.desk("blocked", standing="offered")
        assert outcomes(chat) == [("lan", "blocked")]

    def test_waits_through_events_after_which_nobody_has_it(self) -> None:
        chat = offered()
        chat.waits(text="một")
        chat.desk("queued")
        chat.offered("reply-too")
        assert outcomes(chat) == []
        chat.desk("confirmed", standing="held", holder="lan", care="accepted")
        assert chat.said() == ["một"]

    def test_causes_no_command_but_its_claim(self) -> None:
        chat = offered()
        chat.log.wait(minutes=5)
        chat.waits(text="một")
        chat.held_by("lan")
        assert chat.commands() == ["route", "reply_claim"]

    @pytest.mark.parametrize("limit", ["sender", "conversation"])
    def test_is_one_of_a_bounded_number(self, limit: str) -> None:
        chat = offered()
        count = OF_SENDER_MAX if limit == "sender" else OF_CONVERSATION_MAX
        for number in range(count):
            chat.waits(text="x", by="lan" if limit == "sender" else f"a{number}")
        assert chat.refusal("say", text="một", by="lan" if limit == "sender" else "minh") == "too_many"


class Move(NamedTuple):
    """One thing that happens: `who` says, or the desk does `what`."""

    what: str
    who: str = "lan"


AGENTS = st.sampled_from(["lan", "minh", "hoa"])
MOVES = st.lists(
    st.one_of(
        st.builds(Move, st.sampled_from(["say", "say", "again", "end"]), AGENTS),
        st.builds(Move, st.just("appoint"), AGENTS),
        st.builds(
            Move, st.sampled_from(["decide", "decide", "offer", "offer", "queue", "block", "customer"])
        ),
    ),
    max_size=40,
)


@dataclass
class Race:
    """Agents answer one conversation, and a desk that decides late answers each claim in turn."""

    chat: Chat = field(default_factory=started)
    records: list[Record] = field(default_factory=list)
    claims: deque[dict[str, Any]] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    """Each agent's texts as he wrote them."""
    offers: bool = False
    """Whether the desk offers it, as it stands on the desk."""

    def happen(self, move: Move) -> None:
        chat = self.chat
        match move.what:
            case "say":
                self.said.append((move.who, f"t{len(self.said)}"))
                self._do(chat.log.act("u1", "say", by=move.who, text=self.said[-1][1]))
            case "again" if actions := [r for r in self.records if r.topic == "actions"]:
                self._do(actions[len(self.said) % len(actions)])
            case "end":
                self._do(chat.log.act("u1", "end_session", by=move.who, authority="admin"))
            case "customer":
                self._do(chat.log.say("u1", f"c{len(self.records)}"))
            case "decide":
                self._decide()
            case "offer":
                self._event("offered", rule="reply", rule_version=1, unrouted=False)
            case "queue":
                self._event("queued")
            case "block":
                self._event("blocked", standing="idle")
                self._event("unblocked")
            case "appoint":
                self._event("assigned", holder=move.who)

    def settle(self) -> None:
        """Let the desk answer every claim that is left."""
        while self.claims:
            self._decide()

    def _decide(self) -> None:
        if not self.claims:
            return
        claim = self.claims.popleft()
        if self.offers:
            self._event("assigned", holder=claim["by"])
        else:
            fields: dict[str, Any] = {
                "command": claim["idempotency_key"],
                "code": "taken",
                "sentence": "another was faster",
            }
            self._do(self.chat.log.decide("u1", 0, "reply_refused", **fields))

    def _event(self, what: str, **fields: Json) -> None:
        chat = self.chat
        chat.seq += 1
        self.offers = what == "offered"
        said: dict[str, Json] = {"session": chat.conversation.session} | fields
        self._do(chat.log.decide("u1", chat.seq, what, **said))

    def _do(self, record: Record) -> None:
        intake = self.chat.intake
        before, asked = len(intake.sent), len(intake.commands)
        self.records.append(record)
        intake.apply([record])
        asks = [value for what, value in intake.commands[asked:] if what == "reply_claim"]
        self.claims.extend(asks)
        self.asked.extend(value["idempotency_key"] for value in asks)
        assert len(set(self.asked)) == len(self.asked), "nothing is asked twice"
        assert len(intake.commands) - asked <= 1, "each record causes at most one command"
        conversation = self.chat.conversation
        for sent in intake.sent[before:]:
            assert sent["sender"] == f"agent:{WORKSPACE}/{conversation.holder}", "only its holder is heard"
        assert {reply.message for reply in conversation.replies} == intake.held
        claims = {reply.claim: reply.sender for reply in conversation.replies}
        assert len(set(claims.values())) == len(claims), "one claim for each sender"


def run(moves: Sequence[Move]) -> Race:
    """The race of these moves, to its end."""
    race = Race()
    for move in moves:
        race.happen(move)
    race.settle()
    return race


@given(MOVES)
@settings(max_examples=200, deadline=None)
def test_each_answer_is_sent_once_or_goes_back_and_nothing_waits_for_ever(moves: Sequence[Move]) -> None:
    race = run(moves)
    intake = race.chat.intake
    assert race.chat.conversation.replies == []
    says = [(what, value) for what, value in intake.outcomes if value["command"] == "say"]
    assert len(says) == len(race.said)
    assert len({value["idempotency_key"] for _, value in says}) == len(race.said)
    done = {value["result"]["message"] for what, value in says if what == "done"}
    sent = Counter(value["message"] for value in intake.sent)
    stored = Counter(line["message"] for line in intake.stored if line["sender"] == "agent")
    assert sent == stored == Counter(done)


@given(MOVES)
@settings(max_examples=200, deadline=None)
def test_each_agents_answers_go_out_in_the_order_in_which_he_wrote_them(moves: Sequence[Move]) -> None:
    race = run(moves)
    for agent in ("lan", "minh", "hoa"):
        wrote = [text for who, text in race.said if who == agent]
        sent = [one["text"] for one in race.chat.intake.sent if one["sender"].endswith(f"/{agent}")]
        assert sent == [text for text in wrote if text in set(sent)]


@given(MOVES, st.integers(min_value=2, max_value=9))
@settings(max_examples=100, deadline=None)
def test_how_answers_fall_into_batches_makes_no_difference(moves: Sequence[Move], size: int) -> None:
    race = run(moves)
    again = Chat(log=race.chat.log, intake=Intake())
    again.customer()
    again.apply(race.chat.log.decide("u1", 1, "session_opened"))
    for start in range(0, len(race.records), size):
        again.intake.apply(race.records[start : start + size])
    first, second = race.chat.intake, again.intake
    assert [value | {"stored_at": None} for value in second.stored] == [
        value | {"stored_at": None} for value in first.stored
    ]
    assert (second.commands, second.sent, second.outcomes) == (first.commands, first.sent, first.outcomes)
