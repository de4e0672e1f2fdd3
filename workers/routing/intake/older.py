"""Older messages, fetched from a channel afterwards: into the transcript, and nothing follows from them."""

from __future__ import annotations

from schemas.envelope import Kind
from schemas.inbound import Echo, InboundUtterance
from schemas.messages import Sender
from workers.routing.intake import transcript
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.customer import Customer
from workers.routing.intake.transcript import Line
from workers.routing.intake.utterances import line_of
from workers.routing.intake.work import Work
from workers.runtime.batch import Record

HISTORY_KEPT = Kind("commands", "history_kept")


def keep(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, said: InboundUtterance, message: str
) -> None:
    """Store an older message: it opens no session and asks for nobody.

    The desk is told of a conversation that begins so, and of the first answer of a human.
    """
    sent_at_ms = at_ms if said.sent_at_ms is None else min(said.sent_at_ms, at_ms)
    is_first = conversation.position == 0 and conversation.seq == 0
    if not conversation.session:
        conversation.last_at_ms = sent_at_ms if is_first else max(conversation.last_at_ms, sent_at_ms)
    line = _line(said, message, sent_at_ms)
    transcript.append(work, conversation, cause, at_ms, line)
    is_answer = line.sender == "agent" and conversation.answered_at_ms is None
    if is_answer:
        conversation.answered_at_ms = sent_at_ms
    if is_first or is_answer:
        facts = {"page": conversation.page, "answered": is_answer}
        work.command(conversation, cause, at_ms, HISTORY_KEPT, facts)


def _line(said: InboundUtterance, message: str, sent_at_ms: int) -> Line:
    sender: Sender = "customer"
    sender_id = None
    if isinstance(said, Echo):
        sender, sender_id = ("bot" if said.author == "bot" else "agent"), said.author_id
    line = line_of(said, message, sender, sender_id)
    line.sent_at_ms = sent_at_ms
    return line


def unknown_phone(phone: str | None, customer: Customer) -> str | None:
    """The number in an older message, unless one is known: what he has told since counts more."""
    is_known = customer.suggested_phone is not None or "phone" in customer.profile
    return None if is_known else phone
