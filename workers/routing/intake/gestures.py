"""What customers do beside writing: reactions, edits, leaving, and what is told of them."""

from __future__ import annotations

import orjson

from schemas.envelope import Kind, time_text
from schemas.inbound import Edit, Introduced, Left, Profile, Reaction, Returned
from workers.routing.intake import customer as known
from workers.routing.intake.admission import Made
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.given import Given
from workers.routing.intake.labelling import keep
from workers.routing.intake.marks import Place, Said, is_news, place_of
from workers.routing.intake.returning import came_back
from workers.routing.intake.sessions import leave
from workers.routing.intake.touching import tell_tags
from workers.routing.intake.work import Work
from workers.runtime.batch import Record

MARKED = Kind("messages", "marked")


def make(work: Work, conversation: Conversation, one: Made, given: Given, *, is_renamed: bool) -> None:
    """Apply it; a repetition changes nothing. `is_renamed`: its customer has another name there now."""
    value = one.value
    if isinstance(value, Left):
        leave(work, conversation, one.record, one.at_ms, value)
        return
    if isinstance(value, Returned):
        came_back(work, conversation, one.record, one.at_ms)
        return
    if isinstance(value, Profile):
        if conversation.blocked:  # nothing that he says reaches an agent
            return
        customer = known.told(given.customer(conversation), value)
        if keep(work, conversation, one.record, one.at_ms, given, customer, by=None, is_renamed=is_renamed):
            tell_tags(work, conversation, one.record, one.at_ms)
        return
    place = place_of(value, conversation.workspace, conversation.id)
    said = _said(value, one.at_ms)
    if not is_news(given.marks.get(place), said):
        return
    given.marks[place] = said
    work.marks[place] = said
    _tell(work, conversation, one, place, said)


def learn(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    said: Introduced,
    phone: str | None,
    given: Given,
) -> None:
    """What an utterance tells of its customer: a number in it, his picture, what brought him."""
    customer = known.introduced(given.customer(conversation), said)
    if phone is not None:
        customer = known.with_phone(customer, phone)
    if keep(work, conversation, cause, at_ms, given, customer, by=None):
        conversation.touched_at_ms = None  # the next message tells the desk, and this one if it does
        work.change(conversation)


def _said(value: Reaction | Edit, at_ms: int) -> Said:
    if isinstance(value, Edit):
        return Said(value.text, value.number, at_ms)
    return Said(value.emoji, 0, at_ms)


def _tell(work: Work, conversation: Conversation, one: Made, place: Place, said: Said) -> None:
    value = {
        **conversation.facts,
        "page": conversation.page,
        "channel_message_id": place.of,
        "mark": place.mark,
        "value": said.value,
        "number": said.number,
        "at": time_text(one.at_ms),
    }
    if conversation.blocked and place.mark != "page_reaction":
        value["blocked"] = True
    work.batch.emit(one.record, MARKED, key=one.record.key, value=orjson.dumps(value), at_ms=one.at_ms)
