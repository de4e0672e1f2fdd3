"""An answer to the customer: into the transcript, and on its way to his channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.actions import Say
from schemas.envelope import Kind, time_text
from workers.routing.intake import tickets, transcript
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.transcript import Line
from workers.routing.intake.work import Work
from workers.routing.outcomes import Result
from workers.runtime.batch import Record

SEND = Kind("outbound", "send")


def say(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    action: Say,
    *,
    message: str,
    quoted: str | None,
) -> Result:
    """Say it: by an agent, or by a bot, whose words count neither as care nor as an answer.

    The ticket changes as it wants; whether it may was asked when it came.

    Args:
        message: its id in the transcript.
        quoted: the channel's id of the message that it answers.
    """
    if action.by is not None:
        conversation.answered_at_ms = at_ms
        conversation.session_agent_messages += conversation.session_open
    transcript.append(work, conversation, cause, at_ms, _line(action, message))
    tickets.change_with(work, conversation, cause, at_ms, action)
    if action.by is not None:
        tickets.settle(work, conversation, cause, at_ms, agent_wrote=True)
    send(
        work,
        conversation,
        cause,
        at_ms,
        message=message,
        sender=action.actor,
        text=action.text,
        attachments=_attachments(action),
        asks=action.asks,
        quoted=quoted,
    )
    work.change(conversation)
    return {"message": message, "position": conversation.position}


def send(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    *,
    message: str,
    sender: str,
    text: str | None,
    attachments: Sequence[dict[str, Any]] = (),
    asks: Sequence[str] = (),
    quoted: str | None = None,
) -> None:
    """Give the transcript's last line to delivery, as schemas.outbound.Send."""
    value = {
        **conversation.facts,
        "page": conversation.page,
        "channel": conversation.channel,
        "message": message,
        "position": conversation.position,
        "sender": sender,
        "text": text,
        "attachments": attachments,
        "asks": asks,
        "reply_to": quoted,
        "last_customer_at": time_text(conversation.last_at_ms) if conversation.session else None,
        "at": time_text(at_ms),
    }
    work.batch.emit(cause, SEND, key=cause.key, value=orjson.dumps(value), at_ms=at_ms)


def _line(action: Say, message: str) -> Line:
    return Line(
        message,
        "bot" if action.by is None else "agent",
        "text" if action.text else "attachment",
        action.by or action.actor,
        action.text,
        attachments=_attachments(action) or None,
        params=_params(action),
    )


def _params(action: Say) -> dict[str, Any] | None:
    said = {"reply_to": action.reply_to, "asks": action.asks or None}
    return {name: value for name, value in said.items() if value is not None} or None


def _attachments(action: Say) -> list[dict[str, Any]]:
    return [attachment.model_dump(exclude_none=True) for attachment in action.attachments]
