"""The notifier as a handler of lanes: from assignments and messages to what agents are told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from schemas.assignments import Assigned
from workers.notifier.conversation import Conversation, ConversationRef, Heard
from workers.notifier.inbox import InboxChanges
from workers.notifier.loading import load, load_held
from workers.notifier.memory import Memory
from workers.notifier.notices import Issued, issue
from workers.notifier.reading import Input, read
from workers.notifier.recipients import ChainStep, Told, follow, hear
from workers.notifier.storing import store
from workers.notifier.transcript import Question, read_carried
from workers.runtime.batch import Batch, TimerDue
from workers.runtime.handler import Connection

CONVERSATIONS_MAX = 50_000
"""Kept in memory by default; about 1 kB each."""

Conversations = dict[ConversationRef, Conversation]


class Result(NamedTuple):
    """A notice and the record that it comes from."""

    cause: Input
    issued: Issued


class NotifierHandler:
    """Tells the holder of a conversation that it is his, and what the customer writes in it."""

    kind = "notifier"
    inputs = ("assignments", "messages")

    def __init__(self, *, conversations_max: int = CONVERSATIONS_MAX) -> None:
        self._memory = Memory(conversations_max)

    async def handle(self, connection: Connection, batch: Batch) -> None:
        """Apply `batch` in the open transaction of `connection`; see workers.runtime.handler.Handler.

        Raises BrokenChainError when an assignment event is missing.
        """
        inputs = read(batch)
        conversations = await self._load(connection, inputs)
        inputs = await _with_carried(connection, inputs, conversations)
        changes = InboxChanges()
        results = _apply(inputs, conversations, changes)
        await store(connection, list(conversations.values()), changes, (issued for _, issued in results))
        for cause, issued in results:
            batch.emit(cause.record, issued.kind, key=issued.key, value=issued.value, at_ms=cause.at_ms)
        self._memory.keep(conversations.values())

    async def due_timers(
        self,
        connection: Connection,
        lanes: Sequence[int],
        now_ms: int,
        limit: int,
    ) -> Sequence[TimerDue]:
        """None: agents are told when something happens, never because time passes."""
        return ()

    def forget(self, lanes: Collection[int] | None = None) -> None:
        """Drop what is kept in memory of `lanes`; none: of all."""
        self._memory.forget(lanes)

    async def _load(self, connection: Connection, inputs: Sequence[Input]) -> Conversations:
        conversations: Conversations = {}
        missing: dict[ConversationRef, int] = {}
        for each in inputs:
            ref = each.ref
            if ref in conversations or ref in missing:
                continue
            found = self._memory.find(ref)
            if found is None:
                missing[ref] = each.record.lane
            else:
                conversations[ref] = found
        if missing:
            conversations |= await load(connection, missing)
        stepping = {each.ref for each in inputs if isinstance(each.said, ChainStep)}
        await load_held(connection, (conversations[ref] for ref in stepping))
        return conversations


async def _with_carried(
    connection: Connection, inputs: Sequence[Input], conversations: Conversations
) -> list[Input]:
    """The inputs, each `assigned` event with what its notice carries."""
    upto = {ref: max(each.position, each.held_to) for ref, each in conversations.items()}
    for each in inputs:
        if isinstance(each.said, Heard):
            upto[each.ref] = max(upto[each.ref], each.said.message.position)
    questions = [
        Question(each.said.event, upto[each.ref])
        for each in inputs
        if isinstance(each.said, ChainStep) and isinstance(each.said.event, Assigned)
    ]
    answers = iter(await read_carried(connection, questions))
    return [
        each._replace(said=each.said._replace(carried=next(answers)))
        if isinstance(each.said, ChainStep) and isinstance(each.said.event, Assigned)
        else each
        for each in inputs
    ]


def _apply(inputs: Sequence[Input], conversations: Conversations, changes: InboxChanges) -> list[Result]:
    results = []
    for each in inputs:
        conversation = conversations[each.ref]
        told: list[Told]
        if isinstance(each.said, ChainStep):
            told = follow(conversation, each.said, changes)
        else:
            told = hear(conversation, each.said, changes)
        results += [Result(each, issue(one)) for one in told]
    return results
