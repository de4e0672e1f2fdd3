"""Decisions on single agents: how much one takes, and whether he is on leave."""

from __future__ import annotations

from schemas.asks import SetCapacity, SetLeave
from schemas.definitions import Agent
from schemas.roster import AgentChanged
from workers.routing.desk.access import admins, is_of_page, no_agent
from workers.routing.desk.changes import said
from workers.routing.desk.dealing import drain
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.leaving import leavers, vacate
from workers.routing.desk.outcomes import done, refuse
from workers.routing.desk.targets import ask_anew, end_transfers_to
from workers.routing.desk.unheard import call_anew
from workers.routing.outcomes import Refusal


def set_capacity(draft: Draft, command: SetCapacity) -> None:
    """An admin says how many open sessions he may hold, of all channels or one; who has more keeps them."""
    refusal = no_agent(draft.desk, command.agent)
    if refusal is None and not _administers(draft.desk, command):
        refusal = Refusal("forbidden", "only who administers all of his pages says how much an agent takes")
    if refusal is not None:
        refuse(draft, command, refusal)
        return
    channels = command.channel_capacity
    if channels is None:
        channels = draft.desk.roster.agents[command.agent].definition.channel_capacity
    limits = {"capacity": command.capacity, "channel_capacity": channels}
    _change(draft, command.agent, **limits)
    drain(draft)
    done(draft, command, {"agent": command.agent, **limits})


def set_leave(draft: Draft, command: SetLeave) -> None:
    """An agent, or an admin of all of his pages, says that he goes on leave or comes back."""
    refusal = no_agent(draft.desk, command.agent)
    if refusal is None and command.by != command.agent and not _administers(draft.desk, command):
        refusal = Refusal(
            "forbidden", "only he and who administers all of his pages say whether an agent is on leave"
        )
    if refusal is not None:
        refuse(draft, command, refusal)
        return
    leaving = leavers(draft.desk, command)
    _change(draft, command.agent, on_leave=command.on_leave)
    if command.on_leave:
        end_transfers_to(draft, command.agent, "target_left")
    ask_anew(draft, command.agent)
    call_anew(draft, (command.agent,))
    drain(draft)
    released = vacate(draft, leaving, "pool" if command.then == "pool" else "next", command)
    done(draft, command, {"agent": command.agent, "on_leave": command.on_leave, **released})


def _administers(desk: Desk, command: SetCapacity | SetLeave) -> bool:
    """Whether who asks is an admin of the workspace, or of every page for which the agent works.

    Not of one: he names whom he likes in his own rules, and could send him away from the pages of others.
    """
    if command.authority == "admin":
        return True
    entries = desk.roster.pages.items()
    pages = [page for page, entry in entries if entry.active and is_of_page(desk, command.agent, page)]
    return bool(pages) and all(command.by in admins(desk, page) for page in pages)


def _change(draft: Draft, agent: str, **fields: object) -> None:
    entry = draft.desk.roster.agents[agent]
    definition = Agent.model_validate({**entry.definition.model_dump(), **fields})
    if definition != entry.definition:
        draft.say(AgentChanged(**said(draft, entry.version + 1), agent=definition))
