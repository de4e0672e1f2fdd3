"""What a page says by itself when a session opens: a greeting, or that business is closed. Once a session."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, NamedTuple

from schemas.definitions import AutoText, Hours
from schemas.envelope import moment
from schemas.ids import message_id_text
from workers.routing.hours import are_open
from workers.routing.intake import transcript
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.saying import send
from workers.routing.intake.transcript import Line
from workers.routing.intake.work import Work
from workers.runtime.batch import Record

SENDER: Final = "system"


class AutoTexts(NamedTuple):
    """What a page says by itself."""

    greeting: AutoText | None = None
    out_of_hours: AutoText | None = None


class Greeting(NamedTuple):
    """What is said."""

    code: Literal["greeting", "out_of_hours"]
    text: str


def greeting(texts: AutoTexts, hours: Hours | None, at: datetime, language: str | None) -> Greeting | None:
    """What a page says to a customer whose session opens at `at`; none when it says nothing.

    Args:
        texts: the page's.
        hours: when business is open; none: always.
        at: by the log's clock.
        language: the customer's, as his channel states it, if it does.
    """
    if texts.out_of_hours is not None and hours is not None and not are_open(hours, at):
        return Greeting("out_of_hours", _worded(texts.out_of_hours, language))
    return None if texts.greeting is None else Greeting("greeting", _worded(texts.greeting, language))


def greet(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    texts: AutoTexts,
    hours: Hours | None,
    language: str | None,
) -> None:
    """Say it in the session that has just opened: it is nobody's answer, and no care."""
    said = greeting(texts, hours, moment(at_ms), language)
    if said is None:
        return
    # No page is named like a conversation's id, so no channel's message can have this id.
    message = message_id_text(conversation.id, f"greeting {conversation.session}")
    transcript.append(
        work, conversation, cause, at_ms, Line(message, SENDER, "text", text=said.text, code=said.code)
    )
    send(work, conversation, cause, at_ms, message=message, sender=SENDER, text=said.text)


def _worded(text: AutoText, language: str | None) -> str:
    """In Vietnamese to who speaks it, or whose language is not known; in English to others."""
    speaks = (language or "vi").replace("_", "-").partition("-")[0].lower()
    first, second = (text.vi, text.en) if speaks == "vi" else (text.en, text.vi)
    return first or second or ""
