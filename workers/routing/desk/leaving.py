"""Agents who leave, for a while or for good: what they held goes to others, all of it in one act."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from schemas.asks import SetLeave
from schemas.commands import AskedCommand, Command, Configure
from schemas.definitions import Agent
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import reassign
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.handing import take

Leave = Literal["on_leave", "agent_removed"]
Then = Literal["pool", "next"]


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
        case Configure():
            stay = {agent.id for agent in command.agents if not agent.on_leave}
            return desk.roster.agents.keys() - stay
    return ()


def vacate(draft: Draft, leaving: Mapping[str, Leave], then: Then, command: AskedCommand) -> int:
    """Let nobody of `leaving` hold anything, and somebody else have what is being talked about; how many.

    What is done stays with them: its customer's next message finds somebody else.
    """
    held = [one for one in draft.desk.conversations.values() if one.holder in leaving and one.care != "done"]
    for conversation in sorted(held, key=_age):
        how = leaving[conversation.holder or ""]
        reassign(draft, take(draft, conversation, how, command, asked_again=True), then)
    return len(held)


def _leavers(desk: Desk, agents: Collection[Agent]) -> Mapping[str, Leave]:
    wanted = {agent.id: agent for agent in agents}
    found: dict[str, Leave] = {}
    for id_, entry in desk.roster.agents.items():
        if not entry.active:
            continue
        if id_ not in wanted:
            found[id_] = "agent_removed"
        elif wanted[id_].on_leave and not entry.definition.on_leave:
            found[id_] = "on_leave"
    return found


def _age(conversation: Conversation) -> tuple[object, ...]:
    """Who has waited since longest goes first, and those who talk before those who do not."""
    return not conversation.session_open, conversation.held_since, conversation.key
