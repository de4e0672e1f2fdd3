"""What customers and their pages say: into the transcript, and to the desk when somebody should answer."""

from __future__ import annotations

from typing import Any

from schemas.envelope import Kind
from schemas.inbound import Echo, InboundUtterance, Message, Postback
from schemas.messages import MessageKind, Sender
from workers.routing.intake import transcript
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.policies import DeskPolicy
from workers.routing.intake.routing import needs_route, send_route
from workers.routing.intake.sessions import open_session
from workers.routing.intake.touching import touch, watch_silence
from workers.routing.intake.transcript import Line
from workers.routing.intake.work import Work
from workers.runtime.batch import Record

OUTSIDE_ANSWER = Kind("commands", "outside_answer")


def customer_spoke(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    said: InboundUtterance,
    message: str,
    silence_ms: int,
    policy: DeskPolicy,
) -> None:
    """A message or postback: it opens a session when none is open, and asks the desk when that is needed.

    Of a customer who is kept out, or whom another app answers, it is stored and does nothing else.
    """
    line = line_of(said, message, "customer", None)
    if conversation.blocked or (said.standby and not conversation.session_open):
        transcript.append(work, conversation, cause, at_ms, line)
        return
    opens_session = not conversation.session_open
    if opens_session:
        open_session(work, conversation, at_ms, silence_ms)
    conversation.session_customer_messages += 1
    conversation.last_at_ms = at_ms
    transcript.append(work, conversation, cause, at_ms, line)
    if needs_route(conversation, opens_session=opens_session):
        watch_silence(conversation, at_ms, policy.silent_after_ms)
        send_route(
            work,
            conversation,
            cause,
            at_ms,
            opens_session=opens_session,
            language=said.language,
            lists=policy.keywords.matched(said.text),
        )
    else:
        touch(work, conversation, cause, at_ms, "customer", policy.silent_after_ms)


def page_spoke(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, said: Echo, message: str
) -> None:
    """The page's side spoke outside: stored, but no session begins with it and nobody is sought.

    The desk is told of a human's answer, if it knows the conversation.
    """
    sender: Sender = "bot" if said.author == "bot" else "agent"
    transcript.append(work, conversation, cause, at_ms, line_of(said, message, sender, said.author_id))
    if sender == "bot":
        return
    conversation.answered_at_ms = at_ms
    conversation.session_agent_messages += conversation.session_open
    if conversation.session:
        facts = {} if said.author_id is None else {"sender_id": said.author_id}
        work.command(conversation, cause, at_ms, OUTSIDE_ANSWER, facts)


def line_of(said: InboundUtterance, message: str, sender: Sender, sender_id: str | None) -> Line:
    """The line of what was said, under the message's id."""
    return Line(
        message,
        sender,
        _kind(said),
        sender_id,
        said.text,
        attachments=_attachments(said),
        params=_params(said),
        channel_message_id=said.channel_message_id,
        sent_at_ms=said.sent_at_ms,
        history=said.history,
    )


def _params(said: InboundUtterance) -> dict[str, Any] | None:
    """What a button says to programs, and which message is answered, as the channel calls it."""
    reply_to = said.reply_to if isinstance(said, Message) else None
    payload = said.payload if isinstance(said, (Postback, Message)) else None
    if payload is None and reply_to is None:  # as of nearly every message
        return None
    known = {"payload": payload, "reply_to": reply_to}
    return {name: value for name, value in known.items() if value is not None}


def _kind(said: InboundUtterance) -> MessageKind:
    if isinstance(said, Postback):
        return "postback"
    return "attachment" if said.attachments and not said.text else "text"


def _attachments(said: InboundUtterance) -> list[dict[str, Any]] | None:
    if not said.attachments:
        return None
    return [attachment.model_dump(exclude_none=True) for attachment in said.attachments]
