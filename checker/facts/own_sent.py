"""What we have sent to channels ourselves, as receipts tells: its echoes on inbound are nobody's message."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.occurrences import identity_of
from checker.record import Json, LogRecord

_MARK = re.compile(r"tongdai/([0-9a-f-]{36})/[0-9]+")


class Failed(NamedTuple):
    """An agent's answer that its channel did not take."""

    conversation: str
    agent: str
    message: str
    position: int
    reason: str | None


class OwnSent:
    """Knows messages of ours by their ids on the channel, and by the mark that came back."""

    def __init__(self, receipts: Iterable[LogRecord]) -> None:
        self.failed: set[Failed] = set()
        self._ids: set[int] = set()
        self._messages: set[str] = set()
        for record in receipts:
            value = record.json()
            self._messages.add(value["message"])
            self._ids |= {identity_of(value["page"], each) for each in value["channel_message_ids"]}
            of_agents = f"agent:{value['workspace']}/"
            if value["state"] == "failed" and value["sender"].startswith(of_agents):
                agent = value["sender"].removeprefix(of_agents)
                place = value["conversation"], agent, value["message"], value["position"]
                self.failed.add(Failed(*place, value.get("reason")))

    def is_echoed(self, what: str, page: str, value: Json) -> bool:
        """Whether an inbound record shows a message of ours."""
        if what != "echo" or (value["author"] != "bot" and not value.get("history")):
            return False
        mark = _MARK.fullmatch(value.get("marker") or "")
        is_marked = mark is not None and mark[1] in self._messages
        return is_marked or identity_of(page, value["channel_message_id"]) in self._ids
