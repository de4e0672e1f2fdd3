"""Invariant 3, the care status to the letter: where it may go, by whom, and when the next round begins."""

from __future__ import annotations

from checker.facts.asks import Ask
from checker.facts.chains import Chain, Link
from checker.facts.conversation import Conversation
from checker.facts.desk_state import DeskState
from checker.report import Tally

BY_HAND = {
    "accepted": {"pending_close", "closed_won", "refused"},
    "pending_close": {"closed_won", "refused"},
    "closed_won": {"done", "refused"},
}
BY_ITSELF = {"new": "waiting", "done": "waiting"}
"""A human answered outside; a customer wrote in what was done."""
LEAVES_REFUSED = ("transfer_ended", "unassigned")
OUTCOMES = ("won", "dead_end")


class Care:
    """Watches a replay."""

    def __init__(self) -> None:
        self.machine = Tally(3, "the care status goes only where it may, by those who may")
        self.rounds = Tally(3, "the next round begins after done or refused, and only then")

    @property
    def tallies(self) -> list[Tally]:
        return [self.machine, self.rounds]

    def before(self, state: DeskState, chain: Chain, link: Link, ask: Ask | None) -> None:
        """Check an event against how its conversation stood; `ask` is what it was decided on, if asked."""
        was = state.conversation(chain)
        for tally, fault in (
            (self.machine, _fault(state, chain, link, ask)),
            (self.rounds, _round_fault(was, link)),
        ):
            tally.judge((link.seq, link.cause_offset), fault, chain.where(link))

    def end(self, state: DeskState) -> None:
        """No chain ends in what is left at once."""
        for conversation in state.conversations.values():
            if conversation.care == "refused":
                self.machine.fail((conversation.seq,), f"{conversation.key} stays refused")


def _round_fault(was: Conversation, link: Link) -> str:
    expected = was.round + (link.care == "waiting" and was.care in {"done", "refused"})
    return "" if link.round == expected else f"round {link.round}, expected {expected}"


def _fault(state: DeskState, chain: Chain, link: Link, ask: Ask | None) -> str:
    was = state.conversation(chain)
    if was.care == "refused" and link.what not in LEAVES_REFUSED:
        return "comes between refused and the loss of its agent"
    if link.what == "care_changed":
        return _changed_fault(state, chain, link, ask)
    expected = was.care
    if link.what == "assigned" and was.care in {"new", "waiting"}:
        expected = "accepted"
    elif link.what == "unassigned":
        expected = "waiting"
    return "" if link.care == expected else f"care {link.care} after {was.care}, expected {expected}"


def _changed_fault(state: DeskState, chain: Chain, link: Link, ask: Ask | None) -> str:
    was = state.conversation(chain)
    if link.said.get("former_care") != was.care:
        return f"names {link.said.get('former_care')} as the former care, it was {was.care}"
    if link.said.get("command") is None:
        return "" if BY_ITSELF.get(was.care) == link.care else f"from {was.care} to {link.care} by itself"
    sooner = {"done"} if was.care in state.policy.get("done_from", ()) else set()
    if link.care not in BY_HAND.get(was.care, set()) | sooner:
        return f"from {was.care} to {link.care} by hand"
    return _words_fault(state, link) or _who_fault(state, chain, ask)


def _words_fault(state: DeskState, link: Link) -> str:
    reason, outcome = link.said.get("reason"), link.said.get("outcome")
    if (outcome in OUTCOMES) != (link.care == "done"):
        return f"{link.care} with the outcome {outcome}"
    known = state.policy.get("reasons", ())
    reasons = {one["id"] for one in known if one.get("care", "refused") == link.care}
    if reason not in reasons and (reason is not None or link.care == "refused"):
        return f"{link.care} for {reason}, which is no reason of the policy"
    return ""


def _who_fault(state: DeskState, chain: Chain, ask: Ask | None) -> str:
    if ask is None:
        return "nobody asked for it"
    may = ask.by is not None and ask.by in {
        state.conversation(chain).holder,
        *state.admins.get(chain.page, ()),
    }
    return "" if may or ask.value.get("authority") == "admin" else f"by {ask.by}, who may not"
