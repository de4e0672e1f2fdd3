"""Notifications as the gateway passes them on: to whom, and in which words."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from config.topics import NOTIFICATIONS
from schemas.envelope import UnreadableEnvelopeError, read_kind
from schemas.ids import parts_of_owner
from workers.gateway.identity import Role
from workers.gateway.roster import Agents, Roster

AGENT, AUDIENCE = "agent:", "audience:"
FOR_ADMINS = frozenset({"conversation_changed"})
"""Kinds that only those are told who watch the page: its admins, and the workspace's."""
ANYBODY: frozenset[Role] = frozenset(("agent", "page_admin", "admin"))
ADMINS: frozenset[Role] = frozenset(("page_admin", "admin"))
WORKSPACE_ADMINS: frozenset[Role] = frozenset(("admin",))


class Noted(NamedTuple):
    """One record of notifications."""

    partition: int
    offset: int
    key: str
    kind: str
    value: str
    """JSON on one line."""
    at_ms: int
    """As the topic's retention counts."""

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return len(self.value) + len(self.key) + 200


class Recipients(NamedTuple):
    """Who is to be told."""

    workspace: str
    agents: Agents
    roles: frozenset[Role] = ANYBODY
    """Of these only those whose role is one of them."""
    watchers: bool = False
    """And the workspace's admins."""


def noted(record: Any) -> Noted | None:  # noqa: ANN401 - aiokafka's ConsumerRecord
    """What a record says; none: it is of a kind or a form that this version does not know."""
    try:
        kind = read_kind(record.headers, NOTIFICATIONS.name).what
        key, value = (record.key or b"").decode(), (record.value or b"").decode()
    except (UnreadableEnvelopeError, UnicodeDecodeError):
        return None
    if not key.startswith((AGENT, AUDIENCE)) or not value or "\n" in value:
        return None
    return Noted(record.partition, record.offset, key, kind, value, record.timestamp)


def workspace_of(one: Noted) -> str:
    """Whose it is: the roster of this workspace says who the audience is."""
    return parts_of_owner(one.key)[1]


def recipients(one: Noted, roster: Roster) -> Recipients:
    """Who is to be told; who was removed from the workspace is told nothing more, unless he is its admin."""
    kind, workspace, name = parts_of_owner(one.key)
    if kind == "agent":
        roles = WORKSPACE_ADMINS if name in roster.gone else ANYBODY
        return Recipients(workspace, frozenset({name}), roles)
    page = str(_said(one).get("page", ""))
    only_admins = one.kind in FOR_ADMINS or name.startswith("admins:")
    agents = roster.admins.get(page, frozenset()) if only_admins else roster.audience(name, page)
    return Recipients(workspace, agents, ADMINS if only_admins else ANYBODY, watchers=True)


def push(kind: str, id_: str, value: str) -> str:
    """What a socket is sent."""
    return f'{{"event":"{kind}","id":"{id_}","data":{value}}}'


def _said(one: Noted) -> dict[str, Any]:
    try:
        said = orjson.loads(one.value)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
