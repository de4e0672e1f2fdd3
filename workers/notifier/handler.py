"""The notifier as a handler of lanes: from assignments, messages and receipts to what agents are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from workers.notifier.announcements import changed
from workers.notifier.asking import ask
from workers.notifier.carried import NOTHING_CARRIED, Carried
from workers.notifier.conversation import Conversation, ConversationRef
from workers.notifier.loading import load, load_held
from workers.notifier.memory import Memory
from workers.notifier.notices import Issued, issue
from workers.notifier.reading import Input, page_of, read
from workers.notifier.recipients import ChainStep, take
from workers.notifier.storing import store
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
    """Tells agents what concerns them, and audiences what is offered; keeps their lists and their numbers."""

    kind = "notifier"
    inputs = ("assignments", "messages", "receipts")
    takes_halves = False
    intervals = 1

    def __init__(self, *, conversations_max: int = CONVERSATIONS_MAX) -> None:
        self._memory = Memory(conversations_max)

    async def handle(self, connection: Connection, batch: Batch) -> None:
        """Apply `batch` in the open transaction of `connection`; see workers.runtime.handler.Handler.

        Raises BrokenChainError when an assignment event is missing.
        """
        inputs = read(batch)
        conversations = await self._load(connection, inputs)
        carried = await ask(connection, inputs, conversations)
        results = _apply(inputs, conversations, carried)
        for cause, issued in results:
            batch.emit(cause.record, issued.kind, key=issued.key, value=issued.value, at_ms=cause.at_ms)
        await batch.emitted()
        await store(connection, list(conversations.values()), (issued.row for _, issued in results))
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


def _apply(
    inputs: Sequence[Input], conversations: Conversations, carried: Mapping[int, Carried]
) -> list[Result]:
    shown = {ref: conversation.shown for ref, conversation in conversations.items()}
    last: dict[ConversationRef, Input] = {}
    results = []
    for number, each in enumerate(inputs):
        conversation = conversations[each.ref]
        seq = conversation.seq
        conversation.page = conversation.page or page_of(each.said)
        told = take(conversation, each.said, carried.get(number, NOTHING_CARRIED))
        results += [Result(each, issue(one)) for one in told]
        if conversation.seq != seq:
            last[each.ref] = each
    for ref, each in last.items():
        if conversations[ref].shown != shown[ref] and isinstance(each.said, ChainStep):
            results.append(Result(each, issue(changed(conversations[ref], each.said.id, each.said.event))))
    return results
