"""What we have sent to channels ourselves, as receipts tells: its echoes on inbound are nobody's message."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checker.facts.occurrences import identity_of
from checker.record import Json, LogRecord

_MARK = re.compile(r"tongdai/([0-9a-f-]{36})/[0-9]+")


class OwnSent:
    """Knows messages of ours by their ids on the channel, and by the mark that came back."""

    def __init__(self, receipts: Iterable[LogRecord]) -> None:
        self._ids: set[int] = set()
        self._messages: set[str] = set()
        for record in receipts:
            value = record.json()
            self._messages.add(value["message"])
            self._ids |= {identity_of(value["page"], each) for each in value["channel_message_ids"]}

    def is_echoed(self, what: str, page: str, value: Json) -> bool:
        """Whether an inbound record shows a message of ours."""
        if what != "echo" or value["author"] != "bot":
            return False
        mark = _MARK.fullmatch(value.get("marker") or "")
        is_marked = mark is not None and mark[1] in self._messages
        return is_marked or identity_of(page, value["channel_message_id"]) in self._ids
