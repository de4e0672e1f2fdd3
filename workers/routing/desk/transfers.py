"""Transfers: a holder offers his conversation to somebody online, and has it until they have taken it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Literal

from schemas.asks import Transfer, TransferAccept, TransferCancel, TransferReject
from schemas.assignments import TransferEnded, Transferring
from workers.routing.desk.access import administers, holds, no_agent
from workers.routing.desk.appointing import not_holder
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import drain
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.handing import hand_by_person, held
from workers.routing.desk.offering import NAMED_MAX
from workers.routing.desk.outcomes import BLOCKED
from workers.routing.outcomes import Refusal, Result

SUGGESTED_MAX = 20
"""Of those who could be chosen instead, a refusal names so many at most."""
Answer = TransferAccept | TransferReject
Gone = Literal["target_offline", "target_left"]


def transfer(draft: Draft, conversation: Conversation, command: Transfer) -> Refusal | Result:
    """Offer it to an agent, or to all of a department who are online; one at a time."""
    if not holds(command, conversation):
        return not_holder(draft.desk, conversation, command, instead="appoint")
    refusal = _not_now(conversation) or _no_target(draft.desk, conversation, command)
    if refusal is not None:
        return refusal
    timeout = timedelta(seconds=draft.desk.roster.policy.transfer_timeout_s)
    now = draft.tell(
        Transferring,
        conversation,
        to_agent=command.to_agent,
        to_department=command.to_department,
        agents=tuple(islice(_online(draft.desk, conversation, command), NAMED_MAX)),
        by=command.actor,
        command=command.idempotency_key,
        expires_at=draft.place.at + timeout,
    )
    return held(now)


def transfer_accept(draft: Draft, conversation: Conversation, command: TransferAccept) -> Refusal | Result:
    """Take it: of a department the first in the log has it. The care status stays."""
    if command.by is not None and command.by == conversation.holder:
        return held(conversation)
    refusal = _not_asked(draft, conversation, command)
    if refusal is not None or command.by is None:
        return refusal or NOBODY
    hand_by_person(draft, conversation, command.by, "transfer", command)
    drain(draft)
    return held(draft.desk.conversations[conversation.key])


def transfer_reject(draft: Draft, conversation: Conversation, command: TransferReject) -> Refusal | Result:
    """Leave it with its holder; in a department the others may still take it.

    When all who were asked have rejected it, those are asked who have come since, or were away.
    """
    refusal = _not_asked(draft, conversation, command)
    if refusal is not None or command.by is None or conversation.transfer is None:
        return refusal or NOBODY
    asked = conversation.transfer
    rejected = (*asked.rejected, command.by)
    left = [agent for agent in _left(draft.desk, conversation) if agent != command.by]
    if not left:
        said = {"by": command.actor, "command": command.idempotency_key}
        return held(draft.tell(TransferEnded, conversation, how="rejected", agent=command.by, **said))
    agents = tuple(agent for agent in asked.agents if agent != command.by) or tuple(left[:NAMED_MAX])
    fields = asked._replace(agents=agents, rejected=rejected)._asdict()
    return held(draft.tell(Transferring, conversation, **fields))


def transfer_cancel(draft: Draft, conversation: Conversation, command: TransferCancel) -> Refusal | Result:
    """Its holder, or a page admin, takes the offer back."""
    if not holds(command, conversation) and not administers(draft.desk, command, conversation.page):
        return not_holder(draft.desk, conversation, command, instead="transfer_cancel")
    if conversation.transfer is None:
        return Refusal("bad_transition", "it is not being transferred", allowed=("transfer",))
    said = {"by": command.actor, "command": command.idempotency_key}
    return held(draft.tell(TransferEnded, conversation, how="cancelled", **said))


def expire(draft: Draft, key: str) -> None:
    """Nobody has answered in time."""
    draft.tell(TransferEnded, draft.desk.conversations[key], how="expired")


def ask_too(draft: Draft, agent: str) -> None:
    """`agent` has come online: what waits for an answer of a department of his is offered to him too."""
    desk = draft.desk
    for key in _transfers_to(desk, _departments_of(desk, agent)):
        conversation = desk.conversations[key]
        asked = conversation.transfer
        if asked is None or agent in asked.agents or len(asked.agents) >= NAMED_MAX:
            continue
        if agent in _left(desk, conversation) and draft.place.at < asked.expires_at:
            draft.tell(Transferring, conversation, **asked._replace(agents=(*asked.agents, agent))._asdict())


def end_transfers_to(draft: Draft, agent: str, how: Gone) -> None:
    """`agent` is not there any more: what only he could still have taken stays with its holder."""
    _end(draft, (agent, *_departments_of(draft.desk, agent)), how, agent)


def end_transfers_to_nobody(draft: Draft) -> None:
    """The roster is another: what nobody can take any more stays with its holder."""
    _end(draft, draft.desk.transfers, "target_left")


def _end(draft: Draft, targets: Iterable[str], how: Gone, agent: str | None = None) -> None:
    desk = draft.desk
    for key in _transfers_to(desk, targets):
        conversation = desk.conversations[key]
        if conversation.transfer is not None and next(_left(desk, conversation), None) is None:
            gone = agent or conversation.transfer.to_agent
            draft.tell(TransferEnded, conversation, how=how, agent=gone)


def _transfers_to(desk: Desk, targets: Iterable[str]) -> list[str]:
    return sorted({key for target in targets for key in desk.transfers.get(target, ())})


def _departments_of(desk: Desk, agent: str) -> Iterator[str]:
    """As targets of transfers."""
    departments = desk.roster.departments.items()
    return (f"department:{id_}" for id_, entry in departments if agent in entry.definition.agents)


NOBODY = Refusal("forbidden", "only an agent can answer: say in whose name", allowed=("appoint",))


def _not_now(conversation: Conversation) -> Refusal | None:
    if conversation.blocked:
        return BLOCKED
    if conversation.transfer is not None:
        sentence = "it is being transferred already: wait for the answer, or take the offer back"
        return Refusal("bad_transition", sentence, allowed=("transfer_cancel",))
    return None


def _no_target(desk: Desk, conversation: Conversation, command: Transfer) -> Refusal | None:
    """Why nobody can be offered it as `command` says."""
    agent, department = command.to_agent, command.to_department
    if (agent is None) == (department is None):
        return Refusal("target_required", "name an agent or a department, one of the two")
    if agent == conversation.holder:
        return Refusal("bad_transition", "you hold it already: name somebody else")
    if agent is not None and (unknown := no_agent(desk, agent)) is not None:
        return unknown
    entry = desk.roster.departments.get(department or "")
    if department is not None and (entry is None or not entry.active):
        return Refusal("unknown_department", f"this desk has no department {department!r}")
    if next(_online(desk, conversation, command), None) is not None:
        return None
    sentence = f"{agent or f'of {department} nobody else'} is not online: choose somebody who is"
    suggested = (one for one in desk.whereabouts if _can_be_chosen(desk, conversation, one))
    return Refusal("target_offline", sentence, allowed=tuple(islice(suggested, SUGGESTED_MAX)))


def _online(desk: Desk, conversation: Conversation, command: Transfer) -> Iterator[str]:
    """Who can be offered it."""
    targets = (command.to_agent,) if command.to_agent else _members(desk, command.to_department)
    return (agent for agent in targets if _can_be_chosen(desk, conversation, agent))


def _can_be_chosen(desk: Desk, conversation: Conversation, agent: str) -> bool:
    return _is_there(desk, conversation, agent) and desk.presence_of(agent) == "online"


def _is_there(desk: Desk, conversation: Conversation, agent: str) -> bool:
    entry = desk.roster.agents.get(agent)
    is_at_work = entry is not None and entry.active and not entry.definition.on_leave
    return is_at_work and agent != conversation.holder and desk.presence_of(agent) != "offline"


def _members(desk: Desk, department: str | None) -> tuple[str, ...]:
    entry = desk.roster.departments.get(department or "")
    return entry.definition.agents if entry is not None and entry.active else ()


def _left(desk: Desk, conversation: Conversation) -> Iterator[str]:
    """Who can still answer: also those of a department who came online after it was offered."""
    asked = conversation.transfer
    if asked is None:
        return iter(())
    targets = (asked.to_agent,) if asked.to_agent else _members(desk, asked.to_department)
    return (
        agent for agent in targets if agent not in asked.rejected and _is_there(desk, conversation, agent)
    )


def _not_asked(draft: Draft, conversation: Conversation, command: Answer) -> Refusal | None:
    """Why who answers has nothing to answer."""
    asked = conversation.transfer
    if command.by is None:
        return NOBODY
    if asked is None:
        return _too_late(draft, conversation, command.by)
    members = (asked.to_agent,) if asked.to_agent else _members(draft.desk, asked.to_department)
    if command.by not in members or command.by in (conversation.holder, *asked.rejected):
        return Refusal("not_listed", "it is not offered to you")
    if draft.place.at >= asked.expires_at:
        return Refusal("expired", "the time to answer is over: it stays with its holder")
    return no_agent(draft.desk, command.by)


def _too_late(draft: Draft, conversation: Conversation, agent: str) -> Refusal:
    """Nothing is offered: a colleague was faster, which he is told, or the offer has ended otherwise."""
    kind, _, department = (conversation.taken_from or "").partition(":")
    if kind != "department" or agent not in _members(draft.desk, department):
        return Refusal("expired", "it is not offered any more: it was answered, taken back, or too late")
    since = conversation.held_since or draft.place.at
    earlier_ms = (draft.place.at - since) // timedelta(milliseconds=1)
    details = {"winner": conversation.holder, "earlier_ms": earlier_ms}
    return Refusal("taken", f"{conversation.holder} took it {earlier_ms} ms earlier", details=details)
