"""One conversation in memory, told record by record: the customer, the desk, and those who act."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schemas.base import Json
from schemas.definitions import Policy
from tests.intake.in_memory import Intake
from tests.intake.log import Log, key_of
from workers.routing.intake.conversation import Conversation
from workers.runtime.batch import Batch, Record

USER = "u1"


@dataclass
class Chat:
    """Of the customer `u1`. Agents are `lan`, `minh` and `hoa`."""

    log: Log = field(default_factory=Log)
    intake: Intake = field(default_factory=Intake)
    seq: int = 0
    messages: int = 0

    @property
    def conversation(self) -> Conversation:
        found = self.intake.find(USER)
        assert found is not None
        return found

    def policy(self, **fields: Json) -> None:
        """Set the desk's policy."""
        self.intake.policies.policy = Policy.model_validate(fields)

    def customer(self, text: str = "xin chào", **fields: Json) -> None:
        """The customer writes."""
        self.messages += 1
        self.apply(self.log.say(USER, f"m{self.messages}", text=text, **fields))

    def desk(self, what: str, **fields: Json) -> None:
        """The desk appends to the chain, in the session that is."""
        self.seq += 1
        said: dict[str, Json] = {"session": self.conversation.session} | fields
        self.apply(self.log.decide(USER, self.seq, what, **said))

    def held_by(self, agent: str, **fields: Json) -> None:
        """The desk gives it to `agent`."""
        self.desk("assigned", holder=agent, **fields)

    def offered(self, rule: str | None = "reply") -> None:
        """The desk offers it under a rule; those whose name begins with `reply` let a reply claim."""
        self.desk("offered", rule=rule, rule_version=1, unrouted=rule is None)

    def refuse_reply(self, command: str, **more: Json) -> None:
        """The desk refuses a claim of a reply."""
        self.seq += 1  # what `decide` says beside it is ignored
        fields = {"command": command, "code": "not_listed", "sentence": "it is not offered to you"} | more
        self.apply(self.log.decide(USER, self.seq, "reply_refused", **fields))
        self.seq -= 1

    def act(self, what: str, **fields: Json) -> tuple[str, dict[str, Any]]:
        """Somebody acts; the one outcome that comes of it."""
        before = len(self.intake.outcomes)
        self.apply(self.log.act(USER, what, **fields))
        (outcome,) = self.intake.outcomes[before:]
        return outcome

    def refusal(self, what: str, **fields: Json) -> str:
        """Somebody acts and is refused: the code, after checking that nothing else came of it."""
        before = self._traces()
        became, outcome = self.act(what, **fields)
        assert became == "refused"
        assert outcome["sentence"]
        assert self._traces() == before
        code: str = outcome["code"]
        return code

    def waits(self, **fields: Json) -> str:
        """Somebody answers and has no outcome yet: the idempotency key of his action."""
        before = len(self.intake.outcomes)
        record = self.log.act(USER, "say", **{"text": "tôi đây"} | fields)
        self.apply(record)
        assert len(self.intake.outcomes) == before
        return self.intake.commands[-1][1]["idempotency_key"] if self.intake.commands else ""

    def apply(self, record: Record) -> Batch:
        """Apply one record, which is not to be a dead letter."""
        self.log.take()
        batch = self.intake.apply([record])
        assert not batch.rejected
        return batch

    def commands(self) -> list[str]:
        """What the desk was asked and told, in order."""
        return [what for what, _ in self.intake.commands]

    def said(self) -> list[str]:
        """Texts that went out to the customer, in order."""
        return [sent["text"] for sent in self.intake.sent]

    def _traces(self) -> tuple[int, ...]:
        intake = self.intake
        return len(intake.stored), len(intake.told), len(intake.commands), len(intake.sent), len(intake.held)


def started() -> Chat:
    """A chat whose customer has written and which nobody holds."""
    chat = Chat()
    chat.customer()
    chat.desk("session_opened")
    return chat


def held() -> Chat:
    """A chat that `lan` holds."""
    chat = started()
    chat.held_by("lan")
    return chat


def offered() -> Chat:
    """A chat that is offered under a rule where a reply claims."""
    chat = started()
    chat.offered()
    return chat


KEY = key_of(USER)
