"""What is older than an erasure and comes after it: replayed dead letters, and older messages fetched.

Of a message only that there was one is kept; anything else is left out, or refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from schemas.envelope import header
from schemas.ids import conversation_id_text
from schemas.inbound import Echo, InboundUtterance
from schemas.messages import Sender
from workers.routing.intake import transcript
from workers.routing.intake.admission import Admitted, Said
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.transcript import TOMBSTONE, Line
from workers.routing.intake.work import Work
from workers.routing.outcomes import Refusal
from workers.runtime.batch import Record
from workers.runtime.handler import Connection
from workers.runtime.identity import ORIGINAL_TIMESTAMP

TOO_LATE = Refusal("erased", "the customer was erased after this was asked")
LOAD = """
SELECT conversation_id::text, round(extract(epoch FROM asked_at) * 1000)::bigint FROM erasure
WHERE (workspace_id, conversation_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""


async def load(connection: Connection, admitted: Iterable[Admitted]) -> dict[str, int]:
    """When customers were erased, in ms since 1970, by the conversation's id.

    Only those of whom something comes that was said earlier than it came.
    """
    late = {_conversation(one) for one in admitted if _happened_ms(one) is not None}
    if not late:
        return {}
    return dict(await connection.fetch(LOAD, *map(list, zip(*late, strict=True))))


def is_forgotten(one: Admitted, erased: Mapping[str, int]) -> bool:
    """Whether it happened before its customer was erased."""
    happened_ms = _happened_ms(one) if erased else None
    return happened_ms is not None and happened_ms <= erased.get(_conversation(one)[1], -1)


def keep_place(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, said: InboundUtterance, message: str
) -> None:
    """Store that there was a message, as the erasure left those that were stored before."""
    sender: Sender = "customer"
    if isinstance(said, Echo):
        sender = "bot" if said.author == "bot" else "agent"
    line = Line(
        message,
        sender,
        "text",
        code=TOMBSTONE,
        channel_message_id=said.channel_message_id,
        sent_at_ms=at_ms if said.sent_at_ms is None else min(said.sent_at_ms, at_ms),
        history=True,
    )
    transcript.append(work, conversation, cause, at_ms, line)
    work.change(conversation)


def _happened_ms(one: Admitted) -> int | None:
    """When it was said, of what is known to have been said earlier than it came."""
    if isinstance(one, Said) and one.value.history:
        return one.value.sent_at_ms or 0
    return _first_came_ms(one.record.headers)


def _first_came_ms(headers: Sequence[tuple[str, bytes]]) -> int | None:
    content = header(headers, ORIGINAL_TIMESTAMP)
    return int(content) if content and content.isdigit() and len(content) <= 15 else None


def _conversation(one: Admitted) -> tuple[str, str]:
    workspace, key = one.name
    return workspace, conversation_id_text(key.decode())
