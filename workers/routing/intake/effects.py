"""What each record of a batch does, in order: pure, on the conversations in memory."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.assignments import ChainEvent
from schemas.inbound import Echo
from workers.routing.intake.admission import Admitted, Said, Told
from workers.routing.intake.chain import BrokenChainError, follow
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.conversations import Conversations
from workers.routing.intake.dedupe import sighting
from workers.routing.intake.sessions import silence
from workers.routing.intake.utterances import customer_spoke, page_spoke
from workers.routing.intake.work import Work


class WrongLaneError(Exception):
    """A conversation's records come on another lane than before: the partitions have changed."""


class Effects:
    """Applies records to conversations that are loaded; one that is not remembered is new.

    Args:
        conversations: those that the records concern, as far as they exist.
        silence_ms: how long a customer must be silent for the session to end.
    """

    def __init__(self, conversations: Conversations, *, silence_ms: int) -> None:
        self._conversations = conversations
        self._silence_ms = silence_ms

    def apply(self, work: Work, admitted: Iterable[Admitted], seen: set[str]) -> None:
        """Apply the records in their order. `seen` are the ids of messages that were stored before.

        Raises BrokenChainError and WrongLaneError for records that cannot be where they are.
        """
        for one in admitted:
            conversation = self._conversations.get(one.name)
            if conversation is not None and conversation.lane != one.record.lane:
                raise WrongLaneError(
                    f"conversation {conversation.id} belongs to lane {conversation.lane}, but a record of it "
                    f"came on lane {one.record.lane}: partitions must only be added after draining"
                )
            if isinstance(one, Told):
                self._follow(work, conversation, one)
            elif one.message in seen:
                work.became["duplicate"] += 1
            else:
                seen.add(one.message)
                self._store(work, conversation, one)

    def _follow(self, work: Work, conversation: Conversation | None, told: Told) -> None:
        record, at_ms, value = told.record, told.at_ms, told.value
        if isinstance(value, ChainEvent):
            if conversation is None:
                raise BrokenChainError(f"assignments names a conversation that nobody began: {value.key}")
            follow(work, conversation, record, at_ms, value)
        elif conversation is None:
            work.became["stale_timer"] += 1
        else:
            silence(work, conversation, record, at_ms, value, self._silence_ms)

    def _store(self, work: Work, conversation: Conversation | None, one: Said) -> None:
        record, at_ms, value = one.record, one.at_ms, one.value
        if conversation is None:
            key = record.key.decode()
            conversation = self._conversations.begin(one.owner, record.lane, key, value.page, at_ms)
            conversation.customer_name = value.customer_name
            work.customers[conversation.id] = (conversation, at_ms)
        elif value.customer_name not in (None, conversation.customer_name):
            conversation.customer_name = value.customer_name
            work.customers.setdefault(conversation.id, (conversation, at_ms))
        work.became["stored"] += 1
        work.change(conversation)
        if isinstance(value, Echo):
            page_spoke(work, conversation, record, at_ms, value, one.message)
        else:
            customer_spoke(work, conversation, record, at_ms, value, one.message, self._silence_ms)
        work.sightings.append(sighting(conversation, one.message, at_ms))
