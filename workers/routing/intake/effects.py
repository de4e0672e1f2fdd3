"""What each record of a batch does, in order: pure, on the conversations in memory."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.actions import Action, SilenceTimer, StartChat
from schemas.assignments import ChainEvent, ReplyRefused
from schemas.ids import page_of
from schemas.inbound import Echo, Introduced, Profile, Reply
from workers.routing.intake import gestures, interaction, older, own, replies
from workers.routing.intake.acts import act
from workers.routing.intake.admission import Admitted, Made, Said, Told
from workers.routing.intake.chain import BrokenChainError, follow
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.conversations import Conversations
from workers.routing.intake.customer import is_introduced
from workers.routing.intake.dedupe import sighting
from workers.routing.intake.forgotten import TOO_LATE, is_forgotten, keep_place
from workers.routing.intake.given import Given
from workers.routing.intake.greeting import greet
from workers.routing.intake.looking_up import look_up
from workers.routing.intake.outreach import came_back
from workers.routing.intake.pages import Owner
from workers.routing.intake.returning import wrote_again
from workers.routing.intake.sessions import silence
from workers.routing.intake.touching import fall_silent
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

    def apply(self, work: Work, admitted: Iterable[Admitted], given: Given) -> None:
        """Apply the records in their order.

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
                self._follow(work, conversation, one, given)
            elif isinstance(one, Made):
                if is_forgotten(one, given.erased):
                    work.became["of_nothing"] += 1
                else:
                    self._make(work, conversation, one, given)
            elif one.message in given.seen:
                work.became["duplicate"] += 1
            elif conversation is not None and (found := given.own.get(one.message)):
                own.tell(work, conversation, one, found)
            else:
                given.seen.add(one.message)
                if conversation is not None and is_forgotten(one, given.erased):
                    work.became["stored"] += 1
                    keep_place(work, conversation, one.record, one.at_ms, one.value, one.message)
                    work.sightings.append(sighting(conversation, one.message, one.at_ms))
                else:
                    self._store(work, conversation, one, given)

    def _follow(self, work: Work, conversation: Conversation | None, told: Told, given: Given) -> None:
        record, at_ms, value = told.record, told.at_ms, told.value
        if isinstance(value, Action):
            if isinstance(value, StartChat) and conversation is None and told.owner is not None:
                conversation = self._begun(work, told, told.owner)
            refusal = TOO_LATE if is_forgotten(told, given.erased) else None
            act(work, conversation, record, at_ms, value, given, refusal)
        elif isinstance(value, ChainEvent):
            if conversation is None:
                raise BrokenChainError(f"assignments names a conversation that nobody began: {value.key}")
            follow(work, conversation, record, at_ms, value, self._silence_ms, given.policies)
        elif isinstance(value, ReplyRefused):
            if conversation is not None:
                replies.refused(work, conversation, record, at_ms, value)
        elif conversation is None:
            work.became["stale_timer"] += 1
        elif isinstance(value, SilenceTimer):
            policy = given.policies.of(conversation.workspace, conversation.desk)
            fall_silent(work, conversation, record, at_ms, value, policy.silent_after_ms)
        else:
            silence(work, conversation, record, at_ms, value, self._silence_ms)

    def _begun(self, work: Work, told: Told, owner: Owner) -> Conversation:
        """The conversation of a visitor who has never written."""
        key = told.record.key.decode()
        conversation = self._conversations.begin(owner, told.record.lane, key, page_of(key), told.at_ms)
        work.customers[conversation.id] = (conversation, told.at_ms)
        work.change(conversation)
        return conversation

    def _make(self, work: Work, conversation: Conversation | None, one: Made, given: Given) -> None:
        """Of somebody who has never written, only what is told of himself is kept."""
        if conversation is None and not isinstance(one.value, Profile):
            work.became["of_nothing"] += 1
            return
        work.became["gesture"] += 1
        name = None if conversation is None else conversation.customer_name
        if isinstance(one.value, Profile):
            conversation = self._introduced(work, conversation, one, one.value)
        assert conversation is not None  # noqa: S101 - one of the two
        gestures.make(work, conversation, one, given, is_renamed=conversation.customer_name != name)
        interaction.note(work, conversation, one.at_ms, one.value)

    def _store(self, work: Work, conversation: Conversation | None, one: Said, given: Given) -> None:
        record, at_ms, value = one.record, one.at_ms, one.value
        conversation = self._introduced(work, conversation, one, value)
        work.became["stored"] += 1
        work.change(conversation)
        phone = given.phones.get(one.message)
        if value.history:
            phone = older.unknown_phone(phone, given.customer(conversation))
        if (phone is not None or is_introduced(value)) and not conversation.blocked:
            # First, so that rules can choose by the tag.
            gestures.learn(work, conversation, record, at_ms, value, phone, given)
        session = conversation.session
        if value.history:
            older.keep(work, conversation, record, at_ms, value, one.message)
        elif isinstance(value, Echo):
            page_spoke(work, conversation, record, at_ms, value, one.message)
        elif isinstance(value, Reply):
            came_back(work, conversation, record, at_ms, value, one.message, given)
        else:
            policy = given.policies.of(conversation.workspace, conversation.desk)
            customer_spoke(work, conversation, record, at_ms, value, one.message, self._silence_ms, policy)
        interaction.note(work, conversation, at_ms, value)
        work.sightings.append(sighting(conversation, one.message, at_ms))
        if conversation.session > session:
            look_up(work, conversation, record, at_ms)
            wrote_again(work, conversation, record, at_ms)
            hours = given.policies.of(conversation.workspace, conversation.desk).hours
            greet(work, conversation, record, at_ms, one.owner.texts, hours, value.language)

    def _introduced(
        self, work: Work, conversation: Conversation | None, one: Said | Made, value: Introduced
    ) -> Conversation:
        """The conversation, begun when there is none, with its customer's name on the channel."""
        if conversation is None:
            key = one.record.key.decode()
            conversation = self._conversations.begin(one.owner, one.record.lane, key, value.page, one.at_ms)
            conversation.customer_name = value.customer_name
            work.customers[conversation.id] = (conversation, one.at_ms)
            work.change(conversation)
        elif value.customer_name not in (None, conversation.customer_name) and not conversation.blocked:
            conversation.customer_name = value.customer_name
            work.customers.setdefault(conversation.id, (conversation, one.at_ms))
        return conversation
