"""Echoes of what we have sent ourselves: the transcript has them already; delivery learns they were sent.

Messenger gives our mark back. Zalo gives nothing back: an echo whose id is not known yet is ours when its
text is that of the message which is being given to the channel in this conversation.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from schemas.envelope import Kind, time_text
from schemas.ids import channel_of, conversation_id_text
from schemas.inbound import Echo
from workers.channels.delivery.marker import UNMARKED_CHANNELS, read_marker
from workers.channels.delivery.parts import Part, parts_of
from workers.channels.delivery.senders import text_max
from workers.routing.intake.admission import Said
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.work import Work
from workers.runtime.handler import Connection

ECHOED = Kind("outbound", "echoed")

# The last ones of each conversation: an echo comes soon, or not at all.
RECENT = """
SELECT d.conversation_id, d.page_id, d.message_id, d.ids, d.content, d.attempts > 0 AND d.open AS under_way
FROM unnest($1::uuid[]) AS wanted (conversation_id)
CROSS JOIN LATERAL (
    SELECT conversation_id, page_id, message_id, ids, content, attempts, open FROM delivery
    WHERE conversation_id = wanted.conversation_id
    ORDER BY position DESC LIMIT 100
) AS d
"""


# Of older echoes: by their ids, however long ago it was.
OLDER = """
SELECT conversation_id, page_id, message_id, ids, content, false AS under_way FROM delivery
WHERE conversation_id = ANY($1::uuid[]) AND ids && $2::text[]
"""


class Own(NamedTuple):
    """A part of a message of ours. `known`: delivery knows its id on the channel."""

    message: str
    part: int
    known: bool


class Sent(NamedTuple):
    """A message that was given to the channel, or is being given."""

    message: str
    ids: Sequence[str]
    under_way: Part | None
    """The part that is next, when it may have been given already."""


async def find_own(connection: Connection, said: Iterable[Said]) -> dict[str, Own]:
    """Those echoes that are ours, by the id that they would have in the transcript."""
    echoes = [one for one in said if isinstance(one.value, Echo) and may_be_own(one.value)]
    if not echoes:
        return {}
    wanted = sorted({conversation_id_text(one.value.key) for one in echoes})
    rows = await connection.fetch(RECENT, wanted)
    if older := [one.value.channel_message_id for one in echoes if one.value.history]:
        rows += await connection.fetch(OLDER, wanted, older)
    sent: defaultdict[str, list[Sent]] = defaultdict(list)
    for row in rows:
        sent[str(row["conversation_id"])].append(_sent(row))
    found = {one.message: own(_echo(one), sent[conversation_id_text(one.value.key)]) for one in echoes}
    return {message: each for message, each in found.items() if each is not None}


def may_be_own(echo: Echo) -> bool:
    """A human in the channel's own inbox is never us; of older messages nobody says who wrote them."""
    return echo.author == "bot" or echo.history


def own(echo: Echo, sent: Sequence[Sent]) -> Own | None:
    """Which part of which message it is, of those that were sent in its conversation, the last one first."""
    marked = read_marker(echo.marker)
    for one in sent:
        if echo.channel_message_id in one.ids:
            return Own(one.message, one.ids.index(echo.channel_message_id), known=True)
        if marked is not None and str(marked.message) == one.message:
            return Own(one.message, marked.part, known=marked.part < len(one.ids))
    if echo.channel not in UNMARKED_CHANNELS and not echo.history:
        return None
    for one in reversed(sent):
        if one.under_way is not None and _says(echo, one.under_way):
            return Own(one.message, len(one.ids), known=False)
    return None


def tell(work: Work, conversation: Conversation, one: Said, found: Own) -> None:
    """Tell delivery, unless it knows."""
    work.became["own_echo"] += 1
    if found.known:
        return
    value = {
        **conversation.facts,
        "page": conversation.page,
        "message": found.message,
        "part": found.part,
        "channel_message_id": one.value.channel_message_id,
        "at": time_text(one.at_ms),
    }
    work.batch.emit(one.record, ECHOED, key=one.record.key, value=orjson.dumps(value), at_ms=one.at_ms)


def _echo(one: Said) -> Echo:
    assert isinstance(one.value, Echo)  # noqa: S101 - whoever calls has looked
    return one.value


def _sent(row: Mapping[str, Any]) -> Sent:
    part = None
    if row["under_way"] and row["content"] is not None:
        conversation_parts = parts_of(orjson.loads(row["content"]), text_max(channel_of(row["page_id"])))
        part = next(iter(conversation_parts[len(row["ids"]) :]), None)
    return Sent(str(row["message_id"]), row["ids"], part)


def _says(echo: Echo, part: Part) -> bool:
    if part.attachment is not None:
        types = {"image", "gif"} if part.attachment.type == "image" else {part.attachment.type}
        return not echo.text and any(each.type in types for each in echo.attachments)
    return unicodedata.normalize("NFC", echo.text or "").strip() == part.text
