"""Whom transfers are for: who can still take one over, as agents come and go, and departments change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

from schemas.assignments import TransferEnded, Transferring
from workers.routing.desk.conversation import Conversation, Transfer
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.offering import NAMED_MAX

Gone = Literal["target_offline", "target_left"]


def ask_anew(draft: Draft, agent: str | None = None) -> None:
    """Tell again what is transferred to `agent` or a department of his, where others are asked by now.

    Without `agent` all that is being transferred: the roster is another.
    """
    desk = draft.desk
    targets = desk.transfers if agent is None else (agent, *_departments_of(desk, agent))
    for key in _transfers_to(desk, targets):
        conversation = desk.conversations[key]
        asked = conversation.transfer
        if asked is None or draft.place.at >= asked.expires_at:
            continue
        agents = _asked(desk, conversation, asked)
        if agents != asked.agents:
            draft.tell(Transferring, conversation, **asked._replace(agents=agents)._asdict(), again="asked")


def end_transfers_to(draft: Draft, agent: str, how: Gone) -> None:
    """`agent` is not there any more: what only he could still have taken stays with its holder."""
    _end(draft, (agent, *_departments_of(draft.desk, agent)), how, agent)


def end_transfers_to_nobody(draft: Draft) -> None:
    """The roster is another: what nobody can take any more stays with its holder."""
    _end(draft, draft.desk.transfers, "target_left")


def members(desk: Desk, department: str | None) -> tuple[str, ...]:
    """The agents of a department; of one that is gone, nobody."""
    entry = desk.roster.departments.get(department or "")
    return entry.definition.agents if entry is not None and entry.active else ()


def left(desk: Desk, conversation: Conversation) -> Iterator[str]:
    """Who can still answer: also those of a department who came online after it was offered."""
    return (agent for agent in _meant(desk, conversation) if desk.presence_of(agent) != "offline")


def can_be_chosen(desk: Desk, conversation: Conversation, agent: str) -> bool:
    """Whether its holder may offer it to `agent` now."""
    return _is_at_work(desk, conversation, agent) and desk.presence_of(agent) == "online"


def _asked(desk: Desk, conversation: Conversation, asked: Transfer) -> tuple[str, ...]:
    """Who was asked and still may, wherever he is, and who is online beside him; or whoever is left."""
    meant = dict.fromkeys(_meant(desk, conversation))
    stay = [agent for agent in asked.agents if agent in meant]
    came = (agent for agent in meant if agent not in stay and desk.presence_of(agent) == "online")
    agents = tuple(islice((*stay, *came), NAMED_MAX))
    return agents or tuple(islice(left(desk, conversation), NAMED_MAX))


def _meant(desk: Desk, conversation: Conversation) -> Iterator[str]:
    """Whom it is for: those of them who are at work and have not rejected it."""
    asked = conversation.transfer
    if asked is None:
        return iter(())
    targets = (asked.to_agent,) if asked.to_agent else members(desk, asked.to_department)
    at_work = (agent for agent in targets if _is_at_work(desk, conversation, agent))
    return (agent for agent in at_work if agent not in asked.rejected)


def _is_at_work(desk: Desk, conversation: Conversation, agent: str) -> bool:
    entry = desk.roster.agents.get(agent)
    is_at_work = entry is not None and entry.active and not entry.definition.on_leave
    return is_at_work and agent != conversation.holder


def _end(draft: Draft, targets: Iterable[str], how: Gone, agent: str | None = None) -> None:
    desk = draft.desk
    for key in _transfers_to(desk, targets):
        conversation = desk.conversations[key]
        if conversation.transfer is not None and next(left(desk, conversation), None) is None:
            gone = agent or conversation.transfer.to_agent
            draft.tell(TransferEnded, conversation, how=how, agent=gone)


def _transfers_to(desk: Desk, targets: Iterable[str]) -> list[str]:
    return sorted({key for target in targets for key in desk.transfers.get(target, ())})


def _departments_of(desk: Desk, agent: str) -> Iterator[str]:
    """As targets of transfers."""
    departments = desk.roster.departments.items()
    return (f"department:{id_}" for id_, entry in departments if agent in entry.definition.agents)
