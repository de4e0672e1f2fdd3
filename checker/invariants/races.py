"""Invariant 6, the races: for each conversation claims are linearizable, in the order of the log.

Whoever is the first in the log of those to whom it is offered has it; all later ones are told who, and since
when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.asks import Ask
from checker.facts.chains import Link
from checker.facts.conversation import Conversation
from checker.facts.desk_log import Step
from checker.facts.desk_state import DeskState
from checker.facts.outcomes import Outcome
from checker.invariants.answered import Answers
from checker.report import Tally

CLAIMS = frozenset(("claim", "reply_claim"))


class Offer(NamedTuple):
    """To whom a conversation was offered when somebody claimed it."""

    audience: str | None
    rule: str | None
    blocked: bool


class Races:
    """Watches a replay."""

    def __init__(self, answers: Answers) -> None:
        self.claims = Tally(6, "of those who claim, the first in the log who is asked has it, and no other")
        self.losers = Tally(6, "every loser of a claim is told who has it, and since when")
        self._answers = answers
        self._offer: Offer | None = None

    @property
    def tallies(self) -> list[Tally]:
        return [self.claims, self.losers]

    def before(self, state: DeskState, ask: Ask) -> None:
        """Remember how the conversation stood when somebody claimed it."""
        found = state.conversations.get(ask.conversation) if ask.what in CLAIMS else None
        is_offered = found is not None and found.standing == "offered"
        self._offer = Offer(found.audience, found.rule, found.blocked) if found and is_offered else None

    def after(self, state: DeskState, ask: Ask, steps: Iterable[Step]) -> None:
        """Check what became of a claim."""
        outcome = self._answers.get((ask.topic, ask.place))
        now = state.conversations.get(ask.conversation)
        if ask.what not in CLAIMS or outcome is None or now is None:
            return
        if ask.value.get("begins"):
            self._check(self.claims, ask, _beginning_fault(state, now, ask, outcome))
            return
        links = [step.link for step in steps if step.link is not None and step.link.what == "assigned"]
        won = [link for link in links if link.said.get("command") == ask.asker[3]]
        self._check(self.claims, ask, self._claim_fault(state, now, ask, outcome, won))
        if outcome.code:
            self._check(self.losers, ask, _loser_fault(state, now, ask, outcome))

    def _claim_fault(
        self, state: DeskState, now: Conversation, ask: Ask, outcome: Outcome, won: list[Link]
    ) -> str:
        offer = self._offer
        if outcome.code:
            must_win = offer is not None and _must_win(state, now, offer, ask)
            return f"was asked, the first, and is refused ({outcome.code})" if must_win else ""
        if now.holder != ask.by:
            return f"is done, and {now.holder} has it"
        if len(won) != (offer is not None):
            return f"is done, with {len(won)} events, offered to {offer.audience if offer else 'nobody'}"
        was_asked = offer is None or _may_take(state, now, offer, ask)
        return "" if was_asked else "has it, though it was not offered to him"

    @staticmethod
    def _check(tally: Tally, ask: Ask, fault: str) -> None:
        where = f"{ask.what} of {ask.by} at offset {ask.place[1]}, {ask.value.get('key')}"
        tally.judge((ask.place[1],), fault, where)


class ReplyRefused(NamedTuple):
    """An answer that claimed in vain: where it was decided, of which conversation, its key and the code."""

    offset: int
    conversation: str
    command: str
    code: str


def check_replies(refusals: Iterable[ReplyRefused], asks: Iterable[Ask], answers: Answers) -> Tally:
    """Intake, which keeps the answer, is told of each that claimed in vain as its outcome says."""
    tally = Tally(6, "each answer that claims in vain has one reply_refused with its outcome's code")
    left = Counter(refusals)
    for ask in asks:
        outcome = answers.get((ask.topic, ask.place))
        if ask.what == "reply_claim" and outcome is not None and outcome.code:
            expected = ReplyRefused(ask.place[1], ask.conversation, ask.asker[3], outcome.code)
            is_once = left.pop(expected, 0) == 1
            tally.judge((ask.place[1],), "" if is_once else f"not told once: {expected}")
    for refusal in left:
        tally.fail((refusal.offset,), f"no outcome says so: {refusal}")
    return tally


def _beginning_fault(state: DeskState, now: Conversation, ask: Ask, outcome: Outcome) -> str:
    """Who begins a chat has it, unless somebody else had; then he is told who, and since when."""
    if not outcome.code:
        return "" if now.holder == ask.by else f"is done, and {now.holder} has it"
    return _loser_fault(state, now, ask, outcome) if outcome.code == "taken" else ""


def _may_take(state: DeskState, now: Conversation, offer: Offer, ask: Ask) -> bool:
    """Whether it is offered to him who asks, or he answers it and is an admin of its page."""
    return ask.by in state.asked(offer.audience) or _answers_as_admin(state, now, ask)


def _answers_as_admin(state: DeskState, now: Conversation, ask: Ask) -> bool:
    return ask.what == "reply_claim" and ask.by in state.admins.get(now.page, ())


def _must_win(state: DeskState, now: Conversation, offer: Offer, ask: Ask) -> bool:
    """Whether nothing speaks against the claim: an answer claims only where the rule says so."""
    rule = state.rules.get(offer.rule or "")
    claims = ask.what == "claim" or (rule is not None and bool(rule.definition.get("reply_claims")))
    may_take = _may_take(state, now, offer, ask)
    return claims and may_take and not offer.blocked and state.agent(ask.by).active


def _loser_fault(state: DeskState, now: Conversation, ask: Ask, outcome: Outcome) -> str:
    if outcome.code == "taken":
        if now.held_since is None or outcome.said.get("winner") != now.holder:
            return f"is told that {outcome.said.get('winner')} has it, it is {now.holder}"
        earlier_ms, told_ms = outcome.at_ms - now.held_since, outcome.said.get("earlier_ms")
        return "" if told_ms == earlier_ms else f"is told {told_ms} ms earlier, it was {earlier_ms}"
    was_asked = now.taken_from is not None and (
        ask.by in state.asked(now.taken_from, before=True) or _answers_as_admin(state, now, ask)
    )
    if now.holder is not None and was_asked and state.agent(ask.by).active:
        return f"lost to {now.holder}, and is told {outcome.code}"
    return ""
