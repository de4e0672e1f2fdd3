"""Invariant 6, who may what: the holder, the page's admins, or who is meant himself."""

from __future__ import annotations

from checker.facts.asks import Ask
from checker.facts.chains import Chain, Link
from checker.facts.conversation import Conversation
from checker.facts.desk_state import DeskState
from checker.facts.outcomes import Outcome
from checker.invariants.answered import Answers
from checker.invariants.transfers import AGAIN_BY
from checker.report import Tally

HOLDER, ADMIN, EITHER = frozenset(("holder",)), frozenset(("admin",)), frozenset(("holder", "admin"))
OF_EVENT = {
    ("assigned", "appoint"): ADMIN,
    ("assigned", "take_over"): ADMIN,
    ("unassigned", "released"): HOLDER,
    ("unassigned", "taken_off"): ADMIN,
    ("transferring", None): HOLDER,
    ("transfer_ended", "cancelled"): EITHER,
    ("blocked", None): EITHER,
    ("unblocked", None): EITHER,
    ("followed", None): EITHER,
}
"""Who may bring an event about, by its kind and method or how."""
OF_ASK = {
    "release": HOLDER,
    "transfer": HOLDER,
    "appoint": ADMIN,
    "take_over": ADMIN,
    "take_off": ADMIN,
    "transfer_cancel": EITHER,
    "block": EITHER,
    "unblock": EITHER,
    "set_care": EITHER,
}
"""Who may ask for it: he is not refused for what he is."""
OF_AGENT = frozenset(("set_capacity", "set_leave"))
"""What is asked about an agent."""
HIMSELF = frozenset(("claim", "reply", "start", "transfer", "take_over"))
OWN_LIST = frozenset(("followed", "unfollowed", "muted", "unmuted"))
NO_RIGHT = frozenset(("forbidden", "not_holder"))


class Rights:
    """Watches a replay."""

    def __init__(self, answers: Answers) -> None:
        self.granted = Tally(
            6,
            "only its holder gives it up or offers it, only an admin of its page decides for him, "
            "only they choose to follow it, only who administers all of an agent's pages decides on him",
        )
        self.meant = Tally(6, "what is asked befalls whom it was asked for")
        self.refused = Tally(6, "nobody is refused for what he is who may")
        self._answers = answers

    @property
    def tallies(self) -> list[Tally]:
        return [self.granted, self.meant, self.refused]

    def asked(self, state: DeskState, ask: Ask) -> None:
        """Check a refusal, and what is done with an agent, against how things stood when it was asked."""
        outcome = self._answers.get((ask.topic, ask.place))
        if outcome is not None and ask.what in OF_AGENT:
            self._on_agent(state, ask, outcome)
            return
        found = state.conversations.get(ask.conversation)
        may = OF_ASK.get(ask.what)
        if outcome is None or not outcome.code or found is None or may is None or ask.by is None:
            return
        is_wrong = outcome.code in NO_RIGHT and may & _relations(state, found, ask)
        where = f"{ask.what} of {ask.by} at offset {ask.place[1]}, {found.key}"
        self.refused.judge((ask.place[1],), f"refused ({outcome.code})" if is_wrong else "", where)

    def before(self, state: DeskState, chain: Chain, link: Link, ask: Ask | None) -> None:
        """Check an event that somebody asked for."""
        if ask is None or link.said.get("command") != ask.asker[3]:
            return
        if link.what == "transferring" and ask.what in AGAIN_BY:
            return  # told again, with the key of who offered it, which may be the same as this one's
        was = state.conversation(chain)
        special = link.method if link.what == "assigned" else link.said.get("how")
        may = OF_EVENT.get((link.what, special))
        if may is not None:
            is_his = bool(may & _relations(state, was, ask))
            self.granted.judge(link.rank, "" if is_his else f"by {ask.by}, who may not", chain.where(link))
        fault = _meant_fault(link, ask)
        if fault is not None:
            self.meant.judge(link.rank, fault, chain.where(link))

    def _on_agent(self, state: DeskState, ask: Ask, outcome: Outcome) -> None:
        """Whether who may was not refused, and nobody else got his will."""
        agent = ask.value["agent"]
        is_own_leave = ask.what == "set_leave" and ask.by == agent
        is_admin = ask.value.get("authority") == "admin"
        may = is_admin or is_own_leave or state.supervises(ask.by, agent)
        is_wrong = outcome.code in NO_RIGHT if may else not outcome.code
        fault = (outcome.code or "done, who may not") if is_wrong else ""
        tally = self.refused if may else self.granted
        tally.judge((ask.place[1],), fault, f"{ask.what} for {agent} by {ask.by} at offset {ask.place[1]}")


def _relations(state: DeskState, conversation: Conversation, ask: Ask) -> set[str]:
    is_admin = ask.value.get("authority") == "admin" or ask.by in state.admins.get(conversation.page, ())
    is_holder = ask.by is not None and ask.by == conversation.holder
    return {word for word, is_so in (("holder", is_holder), ("admin", is_admin)) if is_so}


def _meant_fault(link: Link, ask: Ask) -> str | None:
    """None: the event befalls nobody by his name."""
    if link.what == "assigned":
        meant = ask.by if link.method in HIMSELF else ask.value.get("agent")
        return "" if link.holder == meant else f"{link.holder} has it, it was asked for {meant}"
    if link.what in OWN_LIST:
        return "" if link.agent == ask.by else f"on the list of {link.agent}, {ask.by} asked"
    return None
