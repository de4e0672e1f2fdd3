"""What operators read of tickets in what the worker writes about its work: no texts, no customers.

Sessions open tickets by themselves, one each: of those nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from config.logging import get_logger
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.ticket import Ticket

Turn = Literal["ticket_opened", "ticket_closed", "ticket_reopened"]

_log = get_logger(__name__)


class TicketTurn(NamedTuple):
    """A ticket took a turn that somebody will ask about."""

    turn: Turn
    conversation: Conversation
    ticket: Ticket


def turn_of(was: Ticket | None, now: Ticket) -> Turn | None:
    """What `now` is after `was`, which is none for a new one; none: nothing to be written. Pure."""
    before = "draft" if was is None else was.status
    if before == now.status:
        return None
    if now.status == "closed":
        return "ticket_closed"
    if before == "closed":
        return "ticket_reopened"
    return "ticket_opened" if before == "draft" and now.changed_by is not None else None


def write_down(turns: Iterable[TicketTurn]) -> None:
    """Write them to the worker's log; a batch that has to be done again writes them again."""
    for turn, conversation, ticket in turns:
        _log.info(
            turn,
            workspace=conversation.workspace,
            conversation=conversation.id,
            lane=conversation.lane,
            ticket=ticket.number,
            # A closed one that the customer's mail has opened was changed by nobody.
            by=ticket.changed_by,
        )
