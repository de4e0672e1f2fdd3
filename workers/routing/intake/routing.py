"""When the desk is asked who shall answer, and when it has told."""

from __future__ import annotations

from typing import Any

from schemas.assignments import ChainEvent, Confirmed
from schemas.envelope import Kind
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.work import Work
from workers.runtime.batch import Record

ROUTE = Kind("commands", "route")


def needs_route(conversation: Conversation, *, opens_session: bool) -> bool:
    """Whether a customer's message makes the desk be asked.

    Always for a session's first, also when somebody holds the conversation: load counts sessions. Then only
    when nobody is wanted, as after a release, and the desk has not been asked already.
    """
    return opens_session or (conversation.standing == "idle" and not conversation.route_unanswered)


def send_route(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    *,
    opens_session: bool,
    language: str | None,
    lists: tuple[str, ...],
) -> None:
    """Ask the desk who shall answer. `lists`: the keyword lists that the message matches."""
    conversation.route_unanswered = True
    conversation.touched_at_ms = at_ms
    facts: dict[str, Any] = {
        "page": conversation.page,
        "channel": conversation.channel,
        "opens_session": opens_session,
        "tags": conversation.tags,
        "lists": lists,
    }
    if conversation.answered_at_ms is not None:
        facts["answered"] = True
    if language is not None:
        facts["language"] = language
    work.command(conversation, cause, at_ms, ROUTE, facts)


def answers_route(conversation: Conversation, event: ChainEvent) -> bool:
    """Whether `event` answers the last `route`.

    What concerns an earlier session does not, as its end that crossed the route of the next; nor does an
    event after which nobody is wanted, since the one with the answer follows it.
    """
    if event.session != conversation.session:
        return False
    return event.standing != "idle" or isinstance(event, Confirmed)
