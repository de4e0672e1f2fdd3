"""Agents who leave, for a while or for good: what they held goes to others, all of it by one act.

The act stands at one place of the log. Of what is more than fits one decision the rest is released by records
that the desk itself puts on its log, each once the one before has been carried out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from operator import itemgetter
from typing import Literal

from schemas.asks import SetLeave
from schemas.commands import Amend, AskedCommand, Command, Configure, Vacate
from schemas.definitions import Agent
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import drain, reassign
from workers.routing.desk.decision import Draft
from workers.routing.desk.demoting import unfollow_demoted
from workers.routing.desk.desk import Desk
from workers.routing.desk.handing import take
from workers.routing.desk.matching import rule_for
from workers.routing.desk.offering import priority_of, since

Leave = Literal["on_leave", "agent_removed"]
Then = Literal["pool", "next"]
Counts = dict[str, int]
PART = 1_000
"""So many conversations one decision releases at most: a few megabytes of events."""


def leavers(desk: Desk, command: AskedCommand) -> Mapping[str, Leave]:
    """Who gives up what he holds when `command` is carried out, and why."""
    match command:
        case SetLeave(on_leave=True, then="pool" | "next"):
            return {command.agent: "on_leave"}
        case Configure():
            return _leavers(desk, command.agents)
    return {}


def may_leave(desk: Desk, command: Command) -> Collection[str]:
    """Who might be of `leavers` when `command` is decided, whatever of its batch comes before it."""
    match command:
        case SetLeave():
            return (command.agent,)
        case Vacate():
            return command.leaving
        case Configure():
            stay = {agent.id for agent in command.agents if not agent.on_leave}
            return desk.roster.agents.keys() - stay
        case Amend():
            return command.removed.agents
    return ()


def will_leave(desk: Desk, command: Command) -> Collection[str]:
    """Who is of `leavers` if nothing of its batch that comes before `command` changes who is there."""
    if isinstance(command, Configure):
        return _leavers(desk, command.agents)
    return may_leave(desk, command)


def vacate(
    draft: Draft,
    leaving: Mapping[str, Leave],
    then: Then,
    command: AskedCommand,
    pages: tuple[str, ...] = (),
) -> Counts:
    """Let nobody of `leaving` hold anything, and somebody else have what is being talked about; nor anybody
    follow something of `pages` as their admin who is that no more.

    What is done stays with them: its customer's next message finds somebody else. Says how many were
    released, and when it is so, that more follow by records of the desk's own.
    """
    act = Vacate(
        workspace=command.workspace,
        desk=command.desk,
        leaving=dict(leaving),
        then=then,
        at=draft.place.at,
        by=command.actor,
        command=command.idempotency_key,
        pages=pages,
    )
    return _release(draft, act)


def go_on(draft: Draft, command: Vacate) -> None:
    """The next of what they held when they left."""
    _release(draft, command)
    drain(draft)


def _release(draft: Draft, act: Vacate) -> Counts:
    """Take the next part of it off them; then who is wanted is dealt in the order of the queue."""
    held = sorted((one for one in draft.desk.conversations.values() if _goes(one, act)), key=_age)
    taken = [take(draft, one, act.leaving[one.holder or ""], act, asked_again=True) for one in held[:PART]]
    for conversation in sorted(taken, key=lambda one: _turn(draft, one)):
        reassign(draft, conversation, act.then)
    released: Counts = {"released": len(taken)}
    if not unfollow_demoted(draft, act.pages, PART) and len(held) <= PART:
        return released
    draft.say(act)
    return released | {"more_follow": True}


def _goes(conversation: Conversation, act: Vacate) -> bool:
    since = conversation.held_since
    leaves = conversation.holder in act.leaving and conversation.care != "done"
    return leaves and (since is None or since <= act.at)


def _leavers(desk: Desk, agents: Collection[Agent]) -> Mapping[str, Leave]:
    wanted = {agent.id: agent for agent in agents}
    found: dict[str, Leave] = {}
    for id_, entry in sorted(desk.roster.agents.items(), key=itemgetter(0)):
        if not entry.active:
            continue
        if id_ not in wanted:
            found[id_] = "agent_removed"
        elif wanted[id_].on_leave and not entry.definition.on_leave:
            found[id_] = "on_leave"
    return found


def _age(conversation: Conversation) -> tuple[object, ...]:
    """Whom he has had for longest is released first, and those who talk before those who do not."""
    return not conversation.session_open, conversation.held_since, conversation.key


def _turn(draft: Draft, conversation: Conversation) -> tuple[object, ...]:
    """Its place among those who wait: by what its rule says of it now, then by age."""
    rule = rule_for(draft.desk, conversation, draft.place.at)
    queued_at, queued_offset = since(draft, conversation)
    priority = priority_of(conversation, rule, draft.place.at - queued_at)
    return priority, queued_at, queued_offset, conversation.key
