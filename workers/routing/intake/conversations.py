"""The conversations of the lanes that are here, as far as they are remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

from schemas.ids import conversation_id_text
from workers.routing.intake import conversation_rows
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.pages import Owner
from workers.runtime.handler import Connection

Name = tuple[str, bytes]
"""Workspace and Kafka key of a conversation."""


class Conversations:
    """The last `capacity` conversations that were used, of all lanes together."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._known: OrderedDict[Name, Conversation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, name: Name) -> Conversation | None:
        """The conversation, if it is remembered."""
        return self._known.get(name)

    async def load(self, connection: Connection, names: Iterable[Name]) -> None:
        """Remember those of `names` that Postgres has."""
        wanted = {(workspace, conversation_id_text(key.decode())) for workspace, key in names}
        for conversation in await conversation_rows.load(connection, wanted):
            self._known[conversation.workspace, conversation.key.encode()] = conversation

    def begin(self, owner: Owner, lane: int, key: str, page: str, at_ms: int) -> Conversation:
        """A conversation that nobody has had before."""
        conversation = Conversation(
            owner.workspace, owner.desk, conversation_id_text(key), lane, key, page, last_at_ms=at_ms
        )
        self._known[owner.workspace, key.encode()] = conversation
        return conversation

    def used(self, names: Iterable[Name]) -> None:
        """Keep these longest, and drop what has not been used for long."""
        for name in names:
            if name in self._known:
                self._known.move_to_end(name)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)

    def forget(self, lanes: Collection[int] | None) -> None:
        """Drop those of `lanes`; none: of all."""
        kept = [] if lanes is None else [pair for pair in self._known.items() if pair[1].lane not in lanes]
        self._known = OrderedDict(kept)
