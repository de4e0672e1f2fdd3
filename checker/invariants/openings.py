"""Invariant 7, business hours: when a rule opens, nobody waits on for one that comes after it."""

from __future__ import annotations

from collections.abc import Iterator

from checker.facts.conversation import Conversation
from checker.facts.desk_log import Step
from checker.facts.desk_state import DeskState, Rule
from checker.facts.matching import is_open, matches
from checker.record import Json
from checker.report import Tally

LOOKS_EVERY_MS = 1_000
WAITS = frozenset(("queued", "offered"))


class Openings:
    """Watches a replay."""

    def __init__(self) -> None:
        self.moved = Tally(7, "who waits for a rule or for none is an earlier one's from when that opens")
        self._open: set[str] = set()
        self._looked_at_ms = 0

    @property
    def tallies(self) -> list[Tally]:
        return [self.moved]

    def begin(self) -> None:
        """Another desk is replayed."""
        self._open = set()
        self._looked_at_ms = 0

    def after(self, state: DeskState, last: Step) -> None:
        """Check after a decision, when a rule has opened by then."""
        if state.at_ms - self._looked_at_ms < LOOKS_EVERY_MS:
            return
        self._looked_at_ms = state.at_ms
        before, self._open = self._open, set(_open_now(state))
        if self._open <= before:
            return
        for conversation in state.conversations.values():
            if conversation.standing in WAITS:
                self._look(state, conversation, last)

    def _look(self, state: DeskState, conversation: Conversation, last: Step) -> None:
        fault, earlier = "", _earlier(state, conversation)
        if earlier is not None:
            waits = f"{conversation.key} waits under {conversation.rule}"
            fault = f"{waits}, though {earlier} is open and comes before it"
        self.moved.judge((last.offset,), fault, last.where)


def _open_now(state: DeskState) -> Iterator[str]:
    for name, rule in state.rules.items():
        hours = (rule.definition.get("conditions") or {}).get("hours")
        if rule.active and hours and is_open(hours, state.at_ms):
            yield name


def _earlier(state: DeskState, conversation: Conversation) -> str | None:
    """The first rule that matches now and comes before the one by which it waits.

    What a rule has given to its page's pool stays there.
    """
    own = conversation.rule
    if own is not None and (conversation.audience or "").startswith("page:"):
        return None
    rules = sorted((rule.order, name) for name, rule in state.rules.items() if rule.is_for(conversation.page))
    for _, name in rules:
        conditions: Json = state.rules[name].definition.get("conditions") or {}
        if own is not None and _waits_by(state, conversation, name, own):
            return None
        if matches(conditions, conversation.facts or {}, state.at_ms):
            return name
    return None


def _waits_by(state: DeskState, conversation: Conversation, name: str, own: str) -> bool:
    """Whether it waits by this rule, or may be offered by the one on which this one falls back."""
    if conversation.standing == "queued":
        return name == own
    return own in dict(state.ways(name)) and _fits(state.rules[name], conversation, state.at_ms)


def _fits(rule: Rule, conversation: Conversation, at_ms: int) -> bool:
    """Whether the rule would match at some hour."""
    conditions = {**(rule.definition.get("conditions") or {}), "hours": None}
    return matches(conditions, conversation.facts or {}, at_ms)
