"""Decisions about a conversation's sessions: a customer wrote, the stretch is over."""

from __future__ import annotations

from schemas.assignments import Confirmed, Facts, SessionClosed, SessionOpened
from schemas.commands import ConversationCommand, Route, SessionEnded
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import deal, drain
from workers.routing.desk.decision import Draft


def route(draft: Draft, command: Route) -> None:
    """A customer wrote and somebody should answer; always answered by an event.

    The session's number says whether it is new here: so a repeated `route` opens nothing twice.
    """
    known = draft.desk.conversations.get(command.key)
    conversation = _at_position(
        known or Conversation(command.conversation, command.key, command.page), command
    )
    if command.session > conversation.session:
        conversation = draft.tell(SessionOpened, conversation, session=command.session, facts=_facts(command))
    elif conversation.standing != "idle" or not conversation.session_open:
        draft.tell(Confirmed, conversation)
        return
    if conversation.standing == "idle":
        deal(draft, conversation)


def session_ended(draft: Draft, command: SessionEnded) -> None:
    """The session is over: who held keeps it without its load, who waited or was offered is wanted no more.

    What does not name the open session is a repetition, and changes nothing.
    """
    known = draft.desk.conversations.get(command.key)
    if known is None or not known.session_open or known.session != command.session:
        return
    conversation = _at_position(known, command)
    draft.tell(
        SessionClosed,
        conversation,
        standing="held" if conversation.holder else "idle",
        ended_by=command.ended_by,
        customer_messages=command.customer_messages,
        agent_messages=command.agent_messages,
    )
    if conversation.holder:
        drain(draft)


def _at_position(conversation: Conversation, command: ConversationCommand) -> Conversation:
    return conversation._replace(after_position=max(conversation.after_position, command.position))


def _facts(command: Route) -> Facts:
    return Facts(channel=command.channel, tags=command.tags, lists=command.lists, language=command.language)
