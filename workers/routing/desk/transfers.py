"""Transfers: a holder offers his conversation to somebody online, and has it until they have taken it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

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
from workers.routing.desk.outcomes import blocked
from workers.routing.desk.targets import can_be_chosen, left, members
from workers.routing.outcomes import Refusal, Result

SUGGESTED_MAX = 20
"""Of those who could be chosen instead, a refusal names so many at most."""
Answer = TransferAccept | TransferReject


def transfer(draft: Draft, conversation: Conversation, command: Transfer) -> Refusal | Result:
    """Offer it to an agent, or to all of a department who are online; one at a time."""
    if not holds(command, conversation):
        return not_holder(draft.desk, conversation, command, instead="appoint")
    refusal = _not_now(draft.desk, conversation, command) or _no_target(draft.desk, conversation, command)
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
    others = [agent for agent in left(draft.desk, conversation) if agent != command.by]
    if not others:
        said = {"by": command.actor, "command": command.idempotency_key}
        return held(draft.tell(TransferEnded, conversation, how="rejected", agent=command.by, **said))
    agents = tuple(agent for agent in asked.agents if agent != command.by) or tuple(others[:NAMED_MAX])
    fields = asked._replace(agents=agents, rejected=rejected)._asdict()
    return held(draft.tell(Transferring, conversation, **fields, again="rejected"))


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


NOBODY = Refusal("forbidden", "only an agent can answer: say in whose name", allowed=("appoint",))


def _not_now(desk: Desk, conversation: Conversation, command: Transfer) -> Refusal | None:
    if conversation.blocked:
        return blocked(desk, command, conversation)
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
    suggested = (one for one in desk.whereabouts if can_be_chosen(desk, conversation, one))
    return Refusal("target_offline", sentence, allowed=tuple(islice(suggested, SUGGESTED_MAX)))


def _online(desk: Desk, conversation: Conversation, command: Transfer) -> Iterator[str]:
    """Who can be offered it."""
    targets = (command.to_agent,) if command.to_agent else members(desk, command.to_department)
    return (agent for agent in targets if can_be_chosen(desk, conversation, agent))


def _not_asked(draft: Draft, conversation: Conversation, command: Answer) -> Refusal | None:
    """Why who answers has nothing to answer."""
    asked = conversation.transfer
    if command.by is None:
        return NOBODY
    if asked is None:
        return _too_late(draft, conversation, command.by)
    meant = (asked.to_agent,) if asked.to_agent else members(draft.desk, asked.to_department)
    if command.by not in meant or command.by in (conversation.holder, *asked.rejected):
        return Refusal("not_listed", "it is not offered to you")
    if draft.place.at >= asked.expires_at:
        return Refusal("expired", "the time to answer is over: it stays with its holder")
    return no_agent(draft.desk, command.by)


def _too_late(draft: Draft, conversation: Conversation, agent: str) -> Refusal:
    """Nothing is offered: a colleague was faster, which he is told, or the offer has ended otherwise."""
    kind, _, department = (conversation.taken_from or "").partition(":")
    if kind != "department" or agent not in members(draft.desk, department):
        return Refusal("expired", "it is not offered any more: it was answered, taken back, or too late")
    since = conversation.held_since or draft.place.at
    earlier_ms = (draft.place.at - since) // timedelta(milliseconds=1)
    details = {"winner": conversation.holder, "earlier_ms": earlier_ms}
    return Refusal("taken", f"{conversation.holder} took it {earlier_ms} ms earlier", details=details)
