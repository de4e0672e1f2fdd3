"""Who may do what in a conversation: its holder, its page's admins, those to whom it is offered."""

from __future__ import annotations

from collections.abc import Collection

from schemas.commands import AskedCommand
from schemas.definitions import Rule
from schemas.ids import desk_key
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.desk import Desk
from workers.routing.desk.duty import ABSENT
from workers.routing.desk.teams import listed
from workers.routing.outcomes import Refusal

NOBODY: Collection[str] = ()


def administers(desk: Desk, command: AskedCommand, page: str) -> bool:
    """Whether who asks may act as the page's admin: one of its own, or one of the workspace."""
    return command.authority == "admin" or command.by in admins(desk, page)


def holds(command: AskedCommand, conversation: Conversation) -> bool:
    """Whether who asks is the one who answers the conversation."""
    return command.by is not None and command.by == conversation.holder


def admins(desk: Desk, page: str) -> Collection[str]:
    """The admins of `page`."""
    entry = desk.roster.pages.get(page)
    return entry.definition.admins if entry is not None and entry.active else NOBODY


def is_of_page(desk: Desk, agent: str, page: str) -> bool:
    """Whether `agent` works for `page`: one of a rule that names it, or an admin of it."""
    return agent in admins(desk, page) or any(
        is_of_rule(desk, agent, entry.definition.id) for entry in desk.roster.rules_of(page)
    )


def is_of_rule(desk: Desk, agent: str, rule: str, last_ring: int | None = None) -> bool:
    """Whether `agent` stands in one of the rule's rings, as far as `last_ring`; none: all."""
    rings = len(desk.roster.rules[rule].definition.next_rings) if last_ring is None else last_ring
    return agent in members(desk, rule, 0) or any(
        agent in members(desk, rule, ring) for ring in range(1, rings + 1)
    )


def members(desk: Desk, rule: str, ring: int) -> Collection[str]:
    """The agents of one of the rule's rings; those of a rule that is gone are nobody."""
    entry = desk.roster.rules.get(rule)
    if entry is None or not entry.active:
        return NOBODY
    if ring == 0:
        return desk.rings[rule].seats
    teams = entry.definition.next_rings[ring - 1 : ring]
    return listed(desk.roster, teams[0]) if teams else NOBODY


def is_asked(desk: Desk, agent: str, audience: str, *, before: bool = False) -> bool:
    """Whether `agent` is of those to whom `audience` offers; with `before`, or of an earlier ring of it.

    `audience` is that of an offer, or whom a transfer is for: `department:<id>`, or an agent's id.
    """
    kind, _, id_ = audience.partition(":")
    if kind == "page":
        return is_of_page(desk, agent, id_)
    if kind == "rule":
        rule, _, ring = id_.rpartition("/")
        return is_of_rule(desk, agent, rule, int(ring)) if before else agent in members(desk, rule, int(ring))
    if kind == "admins":
        return agent in admins(desk, id_)
    entry = desk.roster.departments.get(id_) if kind == "department" else None
    return agent == audience or (entry is not None and entry.active and agent in entry.definition.agents)


def no_agent(desk: Desk, agent: str) -> Refusal | None:
    """Why `agent` can be given nothing here; none when he can."""
    entry = desk.roster.agents.get(agent)
    if entry is not None and entry.active:
        return None
    other = desk.elsewhere.get(agent)
    if other is not None:
        return Refusal("other_desk", f"the agent {agent!r} belongs to the desk {other!r}: ask there")
    here = desk_key(desk.workspace, desk.id)
    return Refusal("unknown_agent", f"the desk {here!r} has no agent {agent!r}: add him to its roster first")


def is_at_work(desk: Desk, agent: str, rule: Rule) -> bool:
    """Whether an offer of `rule` calls `agent`: however busy he is, for he decides by himself."""
    if rule.online_only and desk.presence_of(agent) != "online":
        return False
    return desk.duties.get(agent, ABSENT).bar not in ("inactive", "on_leave")
