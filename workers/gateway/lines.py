"""New lines of transcripts, and how answers fare, told to those who look or watch the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from config.topics import MESSAGES, RECEIPTS
from schemas.envelope import Kind, header
from schemas.ids import conversation_id, page_of
from workers.gateway.connection import Connection
from workers.gateway.conversations import Conversation
from workers.gateway.looking import Looking
from workers.gateway.onlookers import Onlookers
from workers.gateway.roster import Roster, Rosters
from workers.gateway.tail import Record
from workers.gateway.watching import Watching

_EVENTS = {
    Kind(MESSAGES.name, "stored").ce_type.encode(): "line",
    Kind(MESSAGES.name, "marked").ce_type.encode(): "marked",
    Kind(RECEIPTS.name, "delivery").ce_type.encode(): "delivery",
}
"""What a socket is told of, by the type of the record."""


class Line(NamedTuple):
    """A message that has its place in a transcript, or how one stands on its channel."""

    workspace: str
    page: str
    conversation: UUID
    is_note: bool
    """Of colleagues among themselves."""
    text: str
    """What a socket is sent."""


class Lines:
    """Passes lines on. Rights are looked at anew with each batch: who looked may have lost them since."""

    def __init__(self, onlookers: Onlookers, rosters: Rosters, looking: Looking, watching: Watching) -> None:
        self._onlookers = onlookers
        self._rosters = rosters
        self._looking = looking
        self._watching = watching

    @property
    def wanted(self) -> bool:
        """Whether anybody here wants any."""
        return bool(self._looking.conversations or self._watching.pages)

    async def take(self, records: Sequence[Record]) -> None:
        """Pass on what somebody here wants. Raises what Postgres raises."""
        by_workspace: dict[str, list[Line]] = defaultdict(list)
        for record in records:
            line = line_of(record) if self._is_wanted(record.key) else None
            if line is not None:
                by_workspace[line.workspace].append(line)
        for workspace, lines in by_workspace.items():
            roster = await self._rosters.of(workspace)
            looked_at = {one.conversation for one in lines} & self._looking.conversations
            found = await self._onlookers.read(workspace, looked_at)
            for line in lines:
                self._pass_on(line, roster, found.get(line.conversation))

    def _is_wanted(self, key: bytes | None) -> bool:
        """By the key alone, since most are not."""
        name = (key or b"").decode(errors="replace")
        if page_of(name) in self._watching.pages:
            return True
        return bool(self._looking.conversations) and conversation_id(name) in self._looking.conversations

    def _pass_on(self, line: Line, roster: Roster, conversation: Conversation | None) -> None:
        for connection in self._recipients(line, roster, conversation):
            if not line.is_note or connection.identity.agent is not None:
                connection.send(line.text)

    def _recipients(
        self, line: Line, roster: Roster, conversation: Conversation | None
    ) -> Collection[Connection]:
        watchers = self._onlookers.of_page((line.workspace, line.page), roster)
        place = line.workspace, line.conversation
        return watchers | self._onlookers.of_conversation(place, conversation, roster)


def line_of(record: Any) -> Line | None:  # noqa: ANN401 - aiokafka's ConsumerRecord
    """What a record says; none: it is of another kind, or of a form that this version does not know.

    None, too, of a customer who is kept out: his messages are seen by who reads the transcript.
    """
    event = _EVENTS.get(header(record.headers, "ce_type") or b"")
    if event is None:
        return None
    try:
        value = record.value.decode()
        said = orjson.loads(value)
        place = str(said["workspace"]), str(said["page"]), UUID(str(said["conversation"]))
        if said.get("blocked"):
            return None
    except (
        UnicodeDecodeError,
        orjson.JSONDecodeError,
        KeyError,
        TypeError,
        ValueError,
    ):
        return None
    if said.get("history"):
        return None  # it is behind nothing that anybody looks at
    return Line(*place, said.get("kind") == "note", f'{{"event":"{event}","data":{value}}}')
