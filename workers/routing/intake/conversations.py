"""The conversations of the lanes that are here, as far as they are remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

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
        self._in_hand: set[Name] = set()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, name: Name) -> Conversation | None:
        """The conversation, if it is remembered."""
        return self._known.get(name)

    async def load(self, connection: Connection, names: Iterable[Name]) -> None:
        """Remember those of `names` that Postgres has, and that are not remembered."""
        wanted = {
            (name[0], conversation_id_text(name[1].decode())) for name in names if name not in self._known
        }
        for conversation in await conversation_rows.load(connection, wanted):
            self._known[conversation.workspace, conversation.key.encode()] = conversation

    def begin(self, owner: Owner, lane: int, key: str, page: str, at_ms: int) -> Conversation:
        """A conversation that nobody has had before."""
        conversation = Conversation(
            owner.workspace, owner.desk, conversation_id_text(key), lane, key, page, last_at_ms=at_ms
        )
        self._known[owner.workspace, key.encode()] = conversation
        return conversation

    @contextmanager
    def in_hand(self, names: Collection[Name]) -> Iterator[None]:
        """A batch works on these: they are kept, also when another ends meanwhile, and then longest."""
        self._in_hand.update(names)
        try:
            yield
        finally:
            self._in_hand.difference_update(names)
        for name in names:
            if name in self._known:
                self._known.move_to_end(name)
        self._drop_oldest(len(self._known) - self._capacity)

    def _drop_oldest(self, number: int) -> None:
        if number > 0:
            idle = (name for name in self._known if name not in self._in_hand)
            for name in list(islice(idle, number)):
                del self._known[name]

    def forget(self, lanes: Collection[int] | None) -> None:
        """Drop those of `lanes`; none: of all."""
        kept = [] if lanes is None else [pair for pair in self._known.items() if pair[1].lane not in lanes]
        self._known = OrderedDict(kept)
