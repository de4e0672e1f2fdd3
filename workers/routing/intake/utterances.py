"""What customers and their pages say: into the transcript, and to the desk when somebody should answer."""

from __future__ import annotations

from typing import Any

from schemas.inbound import Echo, InboundUtterance, Postback
from schemas.messages import MessageKind, Sender
from workers.routing.intake import transcript
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.routing import needs_route, send_route
from workers.routing.intake.sessions import open_session
from workers.routing.intake.transcript import Line
from workers.routing.intake.work import Work
from workers.runtime.batch import Record


def customer_spoke(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    said: InboundUtterance,
    message: str,
    silence_ms: int,
) -> None:
    """A message or postback: it opens a session when none is open, and asks the desk when that is needed."""
    opens_session = not conversation.session_open
    if opens_session:
        open_session(work, conversation, at_ms, silence_ms)
    conversation.session_customer_messages += 1
    conversation.last_at_ms = at_ms
    transcript.append(work, conversation, cause, at_ms, _line(said, message, "customer", None))
    if needs_route(conversation, opens_session=opens_session):
        send_route(work, conversation, cause, at_ms, opens_session=opens_session, language=said.language)


def page_spoke(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, said: Echo, message: str
) -> None:
    """The page's side spoke outside: stored, but no session begins with it and nobody is sought."""
    sender: Sender = "bot" if said.author == "bot" else "agent"
    if sender == "agent" and conversation.session_open:
        conversation.session_agent_messages += 1
    transcript.append(work, conversation, cause, at_ms, _line(said, message, sender, said.author_id))


def _line(said: InboundUtterance, message: str, sender: Sender, sender_id: str | None) -> Line:
    return Line(
        message,
        sender,
        _kind(said),
        sender_id,
        said.text,
        attachments=_attachments(said),
        params={"payload": said.payload} if isinstance(said, Postback) else None,
        channel_message_id=said.channel_message_id,
        sent_at_ms=said.sent_at_ms,
    )


def _kind(said: InboundUtterance) -> MessageKind:
    if isinstance(said, Postback):
        return "postback"
    return "attachment" if said.attachments and not said.text else "text"


def _attachments(said: InboundUtterance) -> list[dict[str, Any]] | None:
    if not said.attachments:
        return None
    return [attachment.model_dump(exclude_none=True) for attachment in said.attachments]
