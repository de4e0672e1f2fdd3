"""Invariant 6, who may what: the holder, the page's admins, or who is meant himself."""

from __future__ import annotations

from checker.facts.asks import Ask
from checker.facts.chains import Chain, Link
from checker.facts.conversation import Conversation
from checker.facts.desk_state import DeskState
from checker.invariants.answered import Answers
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
HIMSELF = frozenset(("claim", "reply", "start", "transfer", "take_over"))
OWN_LIST = frozenset(("followed", "unfollowed", "muted", "unmuted"))
NO_RIGHT = frozenset(("forbidden", "not_holder"))


class Rights:
    """Watches a replay."""

    def __init__(self, answers: Answers) -> None:
        self.granted = Tally(
            6,
            "only its holder gives it up or offers it, only an admin of its page decides for him, "
            "only they choose to follow it",
        )
        self.meant = Tally(6, "what is asked befalls whom it was asked for")
        self.refused = Tally(6, "nobody is refused for what he is who may")
        self._answers = answers

    @property
    def tallies(self) -> list[Tally]:
        return [self.granted, self.meant, self.refused]

    def asked(self, state: DeskState, ask: Ask) -> None:
        """Check a refusal against how things stood when it was asked."""
        outcome = self._answers.get((ask.topic, ask.place))
        found = state.conversations.get(ask.conversation)
        may = OF_ASK.get(ask.what)
        if outcome is None or not outcome.code or found is None or may is None or ask.by is None:
            return
        self.refused.checked += 1
        if outcome.code in NO_RIGHT and may & _relations(state, found, ask):
            self.refused.fail(
                (ask.place[1],),
                f"{ask.what} of {ask.by} at offset {ask.place[1]}, {found.key}: refused ({outcome.code})",
            )

    def before(self, state: DeskState, chain: Chain, link: Link, ask: Ask | None) -> None:
        """Check an event that somebody asked for."""
        if ask is None or link.said.get("command") != ask.asker[3]:
            return
        if link.what == "transferring" and ask.what == "transfer_reject":
            return  # told again, with the key of who offered it, which may be the same as this one's
        was = state.conversation(chain)
        special = link.method if link.what == "assigned" else link.said.get("how")
        may = OF_EVENT.get((link.what, special))
        if may is not None:
            is_his = bool(may & _relations(state, was, ask))
            self._check(self.granted, chain, link, "" if is_his else f"by {ask.by}, who may not")
        fault = _meant_fault(link, ask)
        if fault is not None:
            self._check(self.meant, chain, link, fault)

    @staticmethod
    def _check(tally: Tally, chain: Chain, link: Link, fault: str) -> None:
        tally.checked += 1
        if fault:
            where = f"{chain.key} seq {link.seq} ({link.what}, command at offset {link.cause_offset})"
            tally.fail((link.cause_offset, link.seq), f"{where}: {fault}")


def _relations(state: DeskState, conversation: Conversation, ask: Ask) -> set[str]:
    page = conversation.key.rpartition(":")[0]
    is_admin = ask.value.get("authority") == "admin" or ask.by in state.admins.get(page, ())
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
