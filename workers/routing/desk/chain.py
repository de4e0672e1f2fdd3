"""What each event of a chain changes in its conversation: the fold of which the desk's tables are made."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from schemas.assignments import (
    Assigned,
    Blocked,
    CareChanged,
    ChainEvent,
    FactsChanged,
    Followed,
    HolderAbsent,
    Muted,
    Offered,
    OrderChanged,
    Queued,
    Quieted,
    SessionClosed,
    SessionOpened,
    SessionSilenced,
    SessionWoken,
    TransferEnded,
    Transferring,
    Unassigned,
    Unblocked,
    Unfollowed,
    Unmuted,
)
from schemas.orders import OVER
from workers.routing.desk.conversation import SAID_BY_ALL, Conversation, Transfer

Changes = dict[str, Any]
"""Fields of a conversation that are otherwise after the event."""


def after(event: ChainEvent, id_: str, before: Conversation | None) -> Conversation:
    """The conversation after `event`, whose `ce_id` is `id_`."""
    was = before or Conversation.fresh(event.conversation, event.key, event.page)
    special = SPECIAL.get(type(event))
    changes = special(event, was) if special is not None else {}
    if was.audience is not None and event.standing != "offered":
        changes = {**_OFFER_OVER, **changes}
    if was.orders and event.round != was.round:
        changes = {**changes, "orders": tuple(one for one in was.orders if one[1] not in OVER)}
    return was.told(id_, _said(event), changes)


_said: Callable[[ChainEvent], tuple[Any, ...]] = attrgetter(*SAID_BY_ALL)
_OFFER_OVER: Changes = {"audience": None, "ring": 0, "offer_expires_at": None}
"""An offer ends with the first event after which it is not offered; `Offered` says its own."""
_WANTED_NO_MORE: Changes = {
    "session_open": False,
    "silent": False,
    "declined": frozenset(),
    "transfer": None,
    "absent_until": None,
    "quiet_until": None,
    "rule": None,
    "queued_at": None,
    "queued_offset": None,
    "priority": 2,
}


def _session_opened(event: SessionOpened, _: Conversation) -> Changes:
    """Whenever somebody is sought in it, he waits since now: also when who had him first gives him back."""
    return {
        "session_open": True,
        "facts": event.facts,
        "silent": False,
        "queued_at": event.at,
        "queued_offset": event.cause.offset,
    }


def _session_closed(event: SessionClosed, was: Conversation) -> Changes:
    return {**_WANTED_NO_MORE, **_held(event, was)}


def _held(event: ChainEvent, was: Conversation) -> Changes:
    return {} if was.holder is None else {"last_holder": was.holder, "last_held_at": event.at}


def _department(was: Conversation) -> str | None:
    """That was asked to take it over, and of which one has."""
    return was.transfer.target if was.transfer and was.transfer.to_department else None


def _queued(event: Queued, _: Conversation) -> Changes:
    return {
        "quiet_until": None,
        "rule": event.rule,
        "queued_at": event.queued_at,
        "queued_offset": event.queued_offset,
        "priority": event.priority,
    }


def _offered(event: Offered, was: Conversation) -> Changes:
    return {
        "quiet_until": None,
        "rule": event.rule,
        "queued_at": event.queued_at,
        "queued_offset": event.queued_offset,
        "priority": event.priority,
        "audience": event.audience,
        "declined": was.declined.union(event.let_pass),
        "ring": event.ring,
        "offer_expires_at": event.expires_at,
    }


def _assigned(event: Assigned, was: Conversation) -> Changes:
    """Being given it follows and unmutes it; who declined may be asked again after somebody else.

    It counts as his load, however long its customer has been silent.
    """
    holder = frozenset((event.holder,)) if event.holder else frozenset()
    changes: Changes = {
        "followers": was.followers | holder,
        "muted": was.muted - holder,
        "declined": was.declined & holder,
        "rule": event.why.fallback_of or event.why.rule or was.rule,
        "taken_from": was.audience or _department(was) or was.taken_from,
        "silent": False,
        "quiet_until": None,
        "transfer": None,
        "absent_until": None,
    }
    if was.admin_followers:
        changes["admin_followers"] = was.admin_followers - holder
    if was.care in ("new", "waiting"):
        changes["reason"] = None
    if was.holder != event.holder:
        changes |= {"held_since": event.at, **_held(event, was)}
    return changes


def _unassigned(event: Unassigned, was: Conversation) -> Changes:
    declined = was.declined if event.asked_again else was.declined | {event.former_holder}
    ended = {event.former_holder} if event.how == "refused" else frozenset()
    return {
        "declined": declined,
        "reason": was.reason if event.how == "refused" else None,
        "outcome": None,
        "followers": was.followers - ended,
        "silent": False,
        "transfer": None,
        "absent_until": None,
        "held_since": None,
        "taken_from": None,
    } | _held(event, was)


def _transferring(event: Transferring, was: Conversation) -> Changes:
    to = event.to_agent, event.to_department, event.agents
    transfer = Transfer(*to, event.by, event.command, event.expires_at, event.rejected)
    return {"transfer": transfer, "declined": was.declined.union(event.rejected)}


def _transfer_ended(event: TransferEnded, was: Conversation) -> Changes:
    rejected = {event.agent} if event.how == "rejected" else frozenset()
    return {"transfer": None, "declined": was.declined | rejected}


def _care_changed(event: CareChanged, was: Conversation) -> Changes:
    said: Changes = {"reason": event.reason, "outcome": event.outcome}
    return said | _reopened(event, was) if was.care == "done" else said


def _reopened(event: CareChanged, was: Conversation) -> Changes:
    """Nobody holds it, and everybody may be asked again."""
    return {
        "declined": frozenset(),
        "absent_until": None,
        "held_since": None,
        "taken_from": None,
    } | _held(event, was)


def _followed(event: Followed, was: Conversation) -> Changes:
    changes: Changes = {"followers": was.followers | {event.agent}}
    if event.as_admin:
        changes["admin_followers"] = was.admin_followers | {event.agent}
    return changes


def _unfollowed(event: Unfollowed, was: Conversation) -> Changes:
    gone = {event.agent}
    return {"followers": was.followers - gone, "admin_followers": was.admin_followers - gone}


def _muted(event: Muted, was: Conversation) -> Changes:
    return {"muted": was.muted | {event.agent}}


def _unmuted(event: Unmuted, was: Conversation) -> Changes:
    return {"muted": was.muted - {event.agent}}


def _blocked(event: Blocked, _: Conversation) -> Changes:
    return {
        "blocked": True,
        "blocked_until": event.until,
        "blocked_at": event.at,
        "blocked_by": event.by,
        "blocked_reason": event.reason,
        "quiet_until": None,
    }


def _unblocked(_: Unblocked, __: Conversation) -> Changes:
    told = ("blocked_until", "blocked_at", "blocked_by", "blocked_reason")
    return {"blocked": False, **dict.fromkeys(told)}


def _holder_absent(event: HolderAbsent, _: Conversation) -> Changes:
    return {"absent_until": event.until}


def _quieted(event: Quieted, _: Conversation) -> Changes:
    return {"quiet_until": event.until}


def _silenced(_: SessionSilenced, __: Conversation) -> Changes:
    return {"silent": True}


def _woken(_: SessionWoken, __: Conversation) -> Changes:
    return {"silent": False}


def _facts_changed(event: FactsChanged, _: Conversation) -> Changes:
    return {"facts": event.facts}


def _order_changed(event: OrderChanged, was: Conversation) -> Changes:
    others = tuple(one for one in was.orders if one[0] != event.order)
    return {"orders": others if event.status is None else (*others, (event.order, event.status))}


SPECIAL: dict[type[ChainEvent], Callable[[Any, Conversation], Changes]] = {
    SessionOpened: _session_opened,
    SessionClosed: _session_closed,
    Queued: _queued,
    Offered: _offered,
    Assigned: _assigned,
    Unassigned: _unassigned,
    Transferring: _transferring,
    TransferEnded: _transfer_ended,
    CareChanged: _care_changed,
    Followed: _followed,
    Unfollowed: _unfollowed,
    Muted: _muted,
    Unmuted: _unmuted,
    Blocked: _blocked,
    Unblocked: _unblocked,
    HolderAbsent: _holder_absent,
    Quieted: _quieted,
    SessionSilenced: _silenced,
    SessionWoken: _woken,
    FactsChanged: _facts_changed,
    OrderChanged: _order_changed,
}
"""What else an event changes, beside the place and the standing that every one says."""
