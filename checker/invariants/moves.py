"""Invariant 3, step by step: each event of a chain fits how its conversation stood before it."""

from __future__ import annotations

from collections.abc import Callable

from checker.facts.chains import Chain, Link
from checker.facts.conversation import Conversation, moment
from checker.facts.desk_log import Step
from checker.facts.desk_state import DeskState
from checker.invariants import transfers
from checker.report import Tally

STANDS = {
    "assigned": "held",
    "queued": "queued",
    "offered": "offered",
    "unassigned": "idle",
    "quieted": "idle",
}
"""How it stands after an event of these kinds; after most others as before."""
FREES = frozenset(("session_closed", "blocked"))
"""After these nobody is wanted, whoever was asked; who holds it keeps it."""
CHANGES_HOLDER = frozenset(("assigned", "unassigned"))


class Moves:
    """Watches a replay."""

    def __init__(self) -> None:
        self.moves = Tally(3, "each event of a chain fits how things stood before it")
        self.answerable = Tally(3, "a transfer asks all who are there and can take it over, and nobody else")

    @property
    def tallies(self) -> list[Tally]:
        return [self.moves, self.answerable]

    def before(self, state: DeskState, chain: Chain, link: Link) -> None:
        """Check an event against how its conversation stood."""
        was = state.conversation(chain)
        special = _SPECIAL.get(link.what)
        fault = (
            _standing_fault(was, link)
            or _session_fault(was, link)
            or transfers.overtaken(state, was, link)
            or (special(state, was, link) if special else "")
        )
        self.moves.judge((link.seq, link.cause_offset), fault, chain.where(link))

    def after(self, state: DeskState, last: Step) -> None:
        """Check after a decision that every transfer can still be answered."""
        for name in state.transferring:
            conversation = state.conversations[name]
            amiss = transfers.misses(state, conversation)
            is_well = transfers.who_can_take(state, conversation) and not amiss
            fault = "" if is_well else f"amiss: {sorted(amiss) or 'nobody'} of {conversation.key}"
            self.answerable.judge((last.offset,), fault, last.where)


def _standing_fault(was: Conversation, link: Link) -> str:
    reopens = link.what == "care_changed" and was.care == "done"
    expected = "idle" if reopens else STANDS.get(link.what, was.standing)
    if link.what in FREES:
        expected = "held" if was.holder else "idle"
    if link.standing != expected:
        return f"standing {link.standing} after {was.standing}, expected {expected}"
    if link.holder != was.holder and not reopens and link.what not in CHANGES_HOLDER:
        return f"changes the holder from {was.holder} to {link.holder}"
    return ""


def _session_fault(was: Conversation, link: Link) -> str:
    if (link.what == "session_opened") != (link.session > was.session):
        return f"session {link.session} after {was.session}"
    if link.what in {"session_opened", "session_closed"}:
        expected = link.what == "session_closed"
        return "" if was.session_open == expected else f"session {was.session} was open: {was.session_open}"
    if link.what not in {"queued", "offered"}:
        return ""
    if not was.session_open:
        return "nobody is wanted without an open session"
    if was.holder is not None or was.blocked:
        return f"somebody is sought, though {was.holder} holds it, or its customer is blocked"
    return ""


def _unassigned(_: DeskState, was: Conversation, link: Link) -> str:
    if was.holder is None or link.said.get("former_holder") != was.holder:
        return f"names {link.said.get('former_holder')} as the former holder, it was {was.holder}"
    if (link.said.get("how") == "refused") != (was.care == "refused"):
        return f"how {link.said.get('how')} at care {was.care}"
    return ""


def _assigned(state: DeskState, was: Conversation, link: Link) -> str:
    return "its customer is blocked" if was.blocked else transfers.accepted(state, was, link)


def _followed(state: DeskState, was: Conversation, link: Link) -> str:
    agent = link.said["agent"]
    if link.said.get("as_admin") and (agent == was.holder or agent not in state.admins.get(was.page, ())):
        return "not as an admin of its page"
    return "he follows already" if agent in was.followers else ""


def _unfollowed(state: DeskState, was: Conversation, link: Link) -> str:
    agent = link.said["agent"]
    if agent not in was.followers:
        return "he does not follow"
    is_asked = "command" in link.said or not state.policy.get("former_holders_follow", True)
    is_demoted = agent in was.admin_followers and agent not in state.admins.get(was.page, ())
    return "" if is_asked or is_demoted else "by itself, though he may follow"


def _muted(_: DeskState, was: Conversation, link: Link) -> str:
    return "he has muted it already" if link.said["agent"] in was.muted else ""


def _unmuted(_: DeskState, was: Conversation, link: Link) -> str:
    return "" if link.said["agent"] in was.muted else "he has not muted it"


def _unblocked(_: DeskState, was: Conversation, link: Link) -> str:
    if not was.blocked:
        return "its customer was not blocked"
    early = was.blocked_until is None or link.at_ms < was.blocked_until
    return "let in before its time, by nobody" if link.said.get("by") is None and early else ""


def _holder_absent(state: DeskState, was: Conversation, link: Link) -> str:
    if "until" not in link.said:
        return "nobody was missed" if was.absent_until is None else ""
    if was.absent_until is not None:
        return "he was missed already"
    return "" if state.agent(was.holder).presence == "offline" else f"{was.holder} is not offline"


def _quieted(state: DeskState, was: Conversation, link: Link) -> str:
    if was.holder is not None:
        return f"{was.holder} holds it"
    until_ms = link.at_ms + state.policy.get("outside_quiet_s", 30 * 60) * 1000
    return "" if moment(link.said, "until") == until_ms else "not for as long as the policy says"


def _silenced(state: DeskState, was: Conversation, _: Link) -> str:
    if not was.session_open or was.silent or was.holder is None:
        return "no session was open and counted for anybody"
    return "the policy does not say so" if state.policy.get("silent_after_s") is None else ""


def _woken(_: DeskState, was: Conversation, __: Link) -> str:
    return "" if was.silent else "it was not silent"


def _facts_changed(_: DeskState, was: Conversation, link: Link) -> str:
    if not was.session_open or was.facts is None:
        return "no session is open"
    told = link.said.get("facts", {})
    if told.get("tags") == was.facts.get("tags"):
        return "the tags are the same"
    return "" if told | {"tags": 0} == was.facts | {"tags": 0} else "more than the tags has changed"


def _order_changed(_: DeskState, was: Conversation, link: Link) -> str:
    former, status = dict(was.orders).get(link.said["order"]), link.said.get("status")
    if link.said.get("former_status") != former:
        return f"the order was {former}"
    return "the order stands so already" if status == former else ""


_SPECIAL: dict[str, Callable[[DeskState, Conversation, Link], str]] = {
    "assigned": _assigned,
    "unassigned": _unassigned,
    "transferring": transfers.offered,
    "transfer_ended": transfers.ended,
    "followed": _followed,
    "unfollowed": _unfollowed,
    "muted": _muted,
    "unmuted": _unmuted,
    "unblocked": _unblocked,
    "holder_absent": _holder_absent,
    "quieted": _quieted,
    "session_silenced": _silenced,
    "session_woken": _woken,
    "facts_changed": _facts_changed,
    "order_changed": _order_changed,
}
