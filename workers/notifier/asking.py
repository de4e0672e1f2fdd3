"""What the transcript must be asked before a batch is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.assignments import Assigned, Followed
from workers.notifier.carried import Carried
from workers.notifier.conversation import Conversation, ConversationRef, Heard, Marked
from workers.notifier.reading import Input
from workers.notifier.recipients import ChainStep
from workers.notifier.transcript import Question, read_carried
from workers.runtime.handler import Connection

Conversations = Mapping[ConversationRef, Conversation]


async def ask(
    connection: Connection, inputs: Sequence[Input], conversations: Conversations
) -> dict[int, Carried]:
    """What the transcript says at each input that needs it, by the input's number."""
    upto = {ref: max(each.position, each.held_to) for ref, each in conversations.items()}
    for each in inputs:
        if isinstance(each.said, Heard):
            upto[each.ref] = max(upto[each.ref], each.said.message.position)
    questions = {
        number: question
        for number, each in enumerate(inputs)
        if (question := _question(each, conversations[each.ref], upto[each.ref])) is not None
    }
    answers = await read_carried(connection, list(questions.values()))
    return dict(zip(questions, answers, strict=True))


def _question(each: Input, conversation: Conversation, upto: int) -> Question | None:
    match each.said:
        case ChainStep(event=Assigned() as event) if event.holder is not None:
            after = event.after_position
            return Question(each.ref, event.holder, event.session, 0, after, max(after, upto))
        case ChainStep(event=Followed() as event):
            return Question(each.ref, event.agent, 0, event.after_position, 0, upto)
        case Marked(read=read):
            # Mostly the newest has been read, by somebody whose seat is known.
            if read.position < upto or read.agent not in conversation.seats:
                return Question(each.ref, read.agent, 0, read.position, 0, upto)
    return None
