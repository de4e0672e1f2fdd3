"""Who may call what: role × relation × call, as a table. Races are not decided here but on the desk's log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple, get_args

from workers.gateway.identity import Identity, Scope

Relation = Literal["holder", "asked", "offered", "follower", "administrator", "member", "deskmate"]
"""Of a person to a conversation: he has it; a transfer is offered to him; it is offered to an audience of
his; he follows it, as who had it goes on doing; he is an admin of its page; he works for its page; he is of
its desk."""
AgentRelation = Literal["self", "supervisor", "deskmate"]
"""Of a person to an agent: the same; he administers all pages for which the agent works; of the same desk."""
QuickReplyRelation = Literal["permitted"]
"""Of a person to a quick reply: it is for all agents, or for a department of his."""
DeskRelation = Literal["page_admin"]
"""Of a person to a desk: he administers a page of it."""

Call = Literal[
    "see",
    "claim",
    "release",
    "appoint",
    "transfer",
    "transfer_accept",
    "transfer_reject",
    "transfer_cancel",
    "take_over",
    "take_off",
    "set_care",
    "link_order",
    "follow",
    "unfollow",
    "mute",
    "unmute",
    "block",
    "unblock",
    "block_address",
    "unblock_address",
    "see_blacklist",
    "say",
    "start_chat",
    "write_note",
    "mark_read",
    "end_session",
    "set_labels",
    "set_profile",
    "open_ticket",
    "edit_ticket",
    "erase",
    "fetch_history",
    "fetch_page_history",
    "send_mail",
    "send_sms",
    "start_call",
    "set_capacity",
    "set_leave",
    "set_ticket_fields",
    "see_desk",
    "change_rules",
    "change_desk",
    "manage_webhooks",
    "manage_quick_replies",
    "use_quick_reply",
]


class Right(NamedTuple):
    """Who may: people in one of these relations, and services with this scope (none: people only)."""

    relations: frozenset[str]
    scope: Scope | None = None


def _people(
    *relations: Relation | AgentRelation | QuickReplyRelation | DeskRelation, scope: Scope | None = None
) -> Right:
    return Right(frozenset(relations), scope)


_KEEPERS: tuple[Relation, ...] = ("holder", "follower", "administrator")
# Who is asked reads what he is asked for; whoever loses the race keeps nothing of it.
_READERS: tuple[Relation, ...] = (*_KEEPERS, "asked", "offered")

RIGHTS: dict[Call, Right] = {
    "see": _people(*_READERS, scope="conversations"),
    # Who lost a race is not asked any more, and learns from the desk who won.
    "claim": _people("deskmate"),
    "transfer_accept": _people("deskmate"),
    "transfer_reject": _people("deskmate"),
    "release": _people("holder", "administrator"),
    "appoint": _people("administrator", scope="conversations"),
    "transfer": _people("holder", "administrator"),
    "transfer_cancel": _people("holder", "administrator"),
    "take_over": _people("administrator"),
    "take_off": _people("administrator", scope="conversations"),
    "set_care": _people("holder", "administrator", scope="conversations"),
    "link_order": _people("holder", "administrator", scope="orders"),
    "follow": _people(*_KEEPERS),
    "unfollow": _people(*_KEEPERS),
    "mute": _people(*_KEEPERS),
    "unmute": _people(*_KEEPERS),
    "block": _people("holder", "administrator", scope="conversations"),
    "unblock": _people("holder", "administrator", scope="conversations"),
    "block_address": _people("holder", "administrator", scope="conversations"),
    "unblock_address": _people("holder", "administrator", scope="conversations"),
    "see_blacklist": _people("administrator", scope="conversations"),
    # An answer may be a claim, and come second: intake says so.
    "say": _people("holder", "offered", "member", "administrator", scope="messages"),
    # Nobody was asked: all who work for the page may, and the desk says who was first.
    "start_chat": _people("holder", "member", "administrator"),
    "write_note": _people(*_READERS, scope="messages"),
    "mark_read": _people(*_READERS),
    "end_session": _people("holder", "administrator", scope="messages"),
    "set_labels": _people("holder", "administrator", scope="customers"),
    "set_profile": _people("holder", "administrator", scope="customers"),
    "open_ticket": _people("holder", "administrator", scope="customers"),
    "edit_ticket": _people("holder", "administrator", scope="customers"),
    "fetch_history": _people("holder", "administrator", scope="conversations"),
    "fetch_page_history": _people("administrator", scope="conversations"),
    "send_mail": _people("holder", "administrator", scope="messages"),
    "send_sms": _people("holder", "administrator", scope="messages"),
    # Somebody must be there to pick up.
    "start_call": _people("holder", "administrator"),
    # For ever: an admin of the workspace alone.
    "erase": _people(),
    "set_capacity": _people("supervisor", scope="roster"),
    "set_leave": _people("self", "supervisor", scope="roster"),
    "set_ticket_fields": _people(),
    "see_desk": _people("page_admin"),
    # Which rules are his to change, the desk decides.
    "change_rules": _people("page_admin"),
    "change_desk": _people(),
    # What is told outside, and where: an admin of the workspace alone.
    "manage_webhooks": _people(),
    "manage_quick_replies": _people(),
    "use_quick_reply": _people("permitted", scope="messages"),
}

_OF_ADMINS = frozenset({"administrator", "supervisor", "page_admin"})
"""Relations that count only for those whose account says page_admin."""

CALLS: tuple[Call, ...] = get_args(Call)


def may(identity: Identity, relations: Collection[str], call: Call) -> bool:
    """Whether `identity`, standing in `relations` to what `call` is about, may call it.

    An admin of the workspace may all; what is of another workspace is not found before this is asked.
    """
    right = RIGHTS[call]
    match identity.role:
        case "admin":
            return True
        case "page_admin":
            return not right.relations.isdisjoint(relations)
        case "agent":
            return not right.relations.isdisjoint(set(relations) - _OF_ADMINS)
        case "service":
            return right.scope is not None and right.scope in identity.scopes


def allowed_calls(identity: Identity, relations: Collection[str]) -> tuple[Call, ...]:
    """All that he may call instead."""
    return tuple(call for call in CALLS if call != "see" and may(identity, relations, call))
