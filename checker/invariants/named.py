"""Invariant 6, what was asked: an event that names a command is that of one that was carried out, there."""

from __future__ import annotations

from collections.abc import Mapping

from checker.facts.asks import Ask
from checker.facts.chains import Chain, Link
from checker.invariants.answered import Answers
from checker.invariants.transfers import AGAIN_BY
from checker.record import Place
from checker.report import Tally

BY_PERSON = {
    "claim": {"claim"},
    "reply": {"reply_claim"},
    "start": {"reply_claim"},
    "appoint": {"appoint", "bulk"},
    "transfer": {"transfer_accept"},
    "take_over": {"take_over", "bulk"},
}
"""By which command each method of a person comes."""
HOWS = {
    "released": {"release", "bulk"},
    "taken_off": {"take_off", "bulk"},
    "refused": {"set_care", "bulk"},
    "on_leave": {"set_leave", "configure"},
    "agent_removed": {"configure", "amend"},
}
"""By which command an agent loses it."""
LEAVES = ("on_leave", "agent_removed")
_LEAVING = frozenset(what for how in LEAVES for what in HOWS[how])
ASKED_BY = {
    "confirmed": {"reply_claim"},
    "transferring": {"transfer"},
    "transfer_ended": {"transfer_reject", "transfer_cancel"},
    "care_changed": {"set_care", "bulk"},
    "followed": {"follow", "bulk"},
    "unfollowed": {"unfollow", "bulk"},
    "muted": {"mute", "bulk"},
    "unmuted": {"unmute", "bulk"},
    "blocked": {"block", "bulk"},
    "order_changed": {"link_order"},
    "unblocked": {"unblock", "bulk"},
}


class Named:
    """Watches a replay."""

    def __init__(self, answers: Answers, vacated: Mapping[Place, tuple[str, str]]) -> None:
        self.named = Tally(6, "each event that names a command is of one that was carried out")
        self._answers = answers
        self._vacated = vacated
        self._left: set[tuple[str, str]] = set()

    @property
    def tallies(self) -> list[Tally]:
        return [self.named]

    def asked(self, ask: Ask) -> None:
        """Remember a leave that was carried out: more of it may follow."""
        outcome = self._answers.get((ask.topic, ask.place))
        if ask.what in _LEAVING and outcome is not None and not outcome.code:
            self._left.add((ask.asker[2], ask.asker[3]))

    def event(self, chain: Chain, link: Link, ask: Ask | None) -> None:
        """Check that the event comes from the command that it names, if any."""
        by_person = link.what == "assigned" and link.method in BY_PERSON
        if link.said.get("command") is None and not by_person:
            return
        if link.what == "transferring" and (ask is None or ask.what in AGAIN_BY):
            return  # told again, with the command of who offered it: see checker.invariants.transfers
        self.named.judge(link.rank, self._fault(link, ask), chain.where(link))

    def _fault(self, link: Link, ask: Ask | None) -> str:
        goes_on = self._vacated.get((link.cause_partition, link.cause_offset))
        if goes_on is not None:
            told = link.said.get("by"), link.said.get("command")
            follows = goes_on == told and goes_on in self._left and link.said.get("how") in LEAVES
            return "" if follows else f"names the command {told[1]}, by which nobody has left"
        if ask is None or ask.asker[3] != link.said.get("command"):
            return f"names the command {link.said.get('command')}, which is not its cause"
        if ask.what not in _asked_by(link):
            return f"comes from {ask.what}"
        outcome = self._answers.get((ask.topic, ask.place))
        return "the command was not carried out" if outcome is None or outcome.code else ""


def _asked_by(link: Link) -> set[str]:
    if link.what == "assigned":
        return BY_PERSON.get(link.method or "", set())
    if link.what == "unassigned":
        return HOWS.get(link.said.get("how", ""), set())
    return ASKED_BY.get(link.what, set())
