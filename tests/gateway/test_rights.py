"""Who may call what: every cell of role × relation × call."""

from __future__ import annotations

from itertools import combinations

import pytest

from workers.gateway.identity import Identity, Role
from workers.gateway.rights import CALLS, RIGHTS, Call, Relation, allowed_calls, may

RELATIONS: tuple[Relation, ...] = (
    "holder",
    "asked",
    "offered",
    "follower",
    "administrator",
    "member",
    "deskmate",
)
READERS = "holder asked offered follower"
KEEPERS = "holder follower"
# Written anew, from what people expect, not from the code: call → relations of an agent, and of a page admin.
EXPECTED: dict[Call, tuple[str, str]] = {
    "see": (READERS, f"{READERS} administrator"),
    "claim": ("deskmate", "deskmate"),
    "transfer_accept": ("deskmate", "deskmate"),
    "transfer_reject": ("deskmate", "deskmate"),
    "release": ("holder", "holder administrator"),
    "appoint": ("", "administrator"),
    "transfer": ("holder", "holder administrator"),
    "transfer_cancel": ("holder", "holder administrator"),
    "take_over": ("", "administrator"),
    "take_off": ("", "administrator"),
    "set_care": ("holder", "holder administrator"),
    "link_order": ("holder", "holder administrator"),
    "follow": (KEEPERS, f"{KEEPERS} administrator"),
    "unfollow": (KEEPERS, f"{KEEPERS} administrator"),
    "mute": (KEEPERS, f"{KEEPERS} administrator"),
    "unmute": (KEEPERS, f"{KEEPERS} administrator"),
    "block": ("holder", "holder administrator"),
    "unblock": ("holder", "holder administrator"),
    "block_address": ("holder", "holder administrator"),
    "unblock_address": ("holder", "holder administrator"),
    "see_blacklist": ("", "administrator"),
    "say": ("holder offered member", "holder offered member administrator"),
    "start_chat": ("holder member", "holder member administrator"),
    "write_note": (READERS, f"{READERS} administrator"),
    "mark_read": (READERS, f"{READERS} administrator"),
    "end_session": ("holder", "holder administrator"),
    "set_labels": ("holder", "holder administrator"),
    "set_profile": ("holder", "holder administrator"),
    "open_ticket": ("holder", "holder administrator"),
    "edit_ticket": ("holder", "holder administrator"),
    "fetch_history": ("holder", "holder administrator"),
    "fetch_page_history": ("", "administrator"),
    "send_mail": ("holder", "holder administrator"),
    "send_sms": ("holder", "holder administrator"),
    "start_call": ("holder", "holder administrator"),
    "set_capacity": ("", "supervisor"),
    "set_leave": ("self", "self supervisor"),
    "erase": ("", ""),
    "set_ticket_fields": ("", ""),
    "see_desk": ("", "page_admin"),
    "change_rules": ("", "page_admin"),
    "change_desk": ("", ""),
    "manage_webhooks": ("", ""),
    "manage_quick_replies": ("", ""),
    "use_quick_reply": ("permitted", "permitted"),
}
SCOPES: dict[Call, str] = {
    **dict.fromkeys(("see", "appoint", "take_off", "set_care", "block", "unblock"), "conversations"),
    **dict.fromkeys(("block_address", "unblock_address", "see_blacklist"), "conversations"),
    **dict.fromkeys(
        ("say", "write_note", "end_session", "send_mail", "send_sms", "use_quick_reply"), "messages"
    ),
    **dict.fromkeys(("fetch_history", "fetch_page_history"), "conversations"),
    **dict.fromkeys(("set_labels", "set_profile", "open_ticket", "edit_ticket"), "customers"),
    **dict.fromkeys(("set_capacity", "set_leave"), "roster"),
    "link_order": "orders",
}


def person(role: Role) -> Identity:
    return Identity("shop", role, "lan", "lan")


def service(*scopes: str) -> Identity:
    return Identity("shop", "service", None, "crm", frozenset(scopes))


def test_every_call_has_its_row() -> None:
    assert set(CALLS) == set(RIGHTS) == set(EXPECTED)


@pytest.mark.parametrize("relation", [*RELATIONS, "self", "supervisor", "permitted", "page_admin", None])
@pytest.mark.parametrize("call", CALLS)
def test_a_cell_of_the_matrix(call: Call, relation: str | None) -> None:
    relations = () if relation is None else (relation,)
    agent, page_admin = (words.split() for words in EXPECTED[call])
    assert may(person("agent"), relations, call) == (relation in agent)
    assert may(person("page_admin"), relations, call) == (relation in page_admin)
    assert may(person("admin"), relations, call)
    for scope in ("messages", "customers", "conversations", "roster", "orders"):
        assert may(service(scope), relations, call) == (SCOPES.get(call) == scope)


@pytest.mark.parametrize("call", CALLS)
def test_more_relations_never_take_a_right_away(call: Call) -> None:
    for role in ("agent", "page_admin"):
        for one, other in combinations(RELATIONS, 2):
            either = may(person(role), (one,), call) or may(person(role), (other,), call)
            assert may(person(role), (one, other), call) == either


def test_a_stranger_and_a_service_without_scopes_may_nothing() -> None:
    assert allowed_calls(person("agent"), ()) == allowed_calls(service(), RELATIONS) == ()
