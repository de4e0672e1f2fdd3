"""Which message a line answers: an agent quotes a place, a customer what his channel calls it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson

from workers.gateway.queries.line_parts import place_quotes
from workers.gateway.queries.lines import LineQuote, line_of


def row(position: int, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """As Postgres has it."""
    none = dict.fromkeys(("sender_id", "attachments", "code", "channel_message_id"))
    said = {"session": 1, "sender": "customer", "kind": "text", "body": "…", "blocked": False}
    names = {"position": position, "message_id": uuid4(), "stored_at": datetime.now(UTC)}
    return {**none, **said, **names, "params": params and orjson.dumps(params), **more}


def test_a_quote_has_its_place_among_the_lines() -> None:
    lines = [
        line_of(row(1, channel_message_id="m_1")),
        line_of(row(2, {"reply_to": 1}, sender="agent")),
        line_of(row(3, {"reply_to": "m_1"})),
        line_of(row(4, {"reply_to": "m_2a"})),
        line_of(row(5, {"reply_to": "m_0", "payload": "YES"})),
    ]
    lines[1].channel_message_ids = ["m_2", "m_2a"]  # an answer in two parts
    place_quotes(lines)
    assert [line.reply_to for line in lines] == [
        None,
        LineQuote(position=1),
        LineQuote(position=1, channel_message_id="m_1"),
        LineQuote(position=2, channel_message_id="m_2a"),
        LineQuote(channel_message_id="m_0"),
    ]


def test_a_log_line_quotes_nothing() -> None:
    assert line_of(row(1, {"reply_to": "m_1"}, kind="log")).reply_to is None
