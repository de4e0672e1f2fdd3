"""Decisions about a conversation's sessions: a customer wrote, the stretch is silent, wakes, is over."""

from __future__ import annotations

from schemas.assignments import Confirmed, Facts, SessionClosed, SessionOpened, SessionSilenced, SessionWoken
from schemas.building import build
from schemas.commands import ConversationCommand, Route, SessionEnded, SessionSilent, Touched
from workers.routing.desk.absence import customer_wrote, holder_answered
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import deal, drain
from workers.routing.desk.decision import Draft
from workers.routing.desk.handing import overtake_transfer
from workers.routing.desk.outside import no_more_new
from workers.routing.desk.reopening import reopen, to_the_same
from workers.routing.desk.tagging import retag


def route(draft: Draft, command: Route) -> None:
    """A customer wrote and somebody should answer; always answered by an event.

    The session's number says whether it is new here: so a repeated `route` opens nothing twice.
    """
    known = draft.desk.conversations.get(command.key)
    conversation = _at_position(
        known or Conversation.fresh(command.conversation, command.key, command.page), command
    )
    if command.session > conversation.session:
        _open(draft, conversation, command)
    elif conversation.blocked:
        draft.tell(Confirmed, conversation)
    else:
        _go_on(draft, conversation, command)


def touched(draft: Draft, command: Touched) -> None:
    """Somebody wrote: a silent session counts again, tags count, an agent who is not there is missed."""
    conversation = _of_open_session(draft, command)
    if conversation is None:
        return
    if conversation.silent and command.by != "nobody":
        conversation = draft.tell(SessionWoken, conversation)
    conversation = retag(draft, conversation, command.tags)
    if command.by == "customer":
        customer_wrote(draft, conversation)
    elif command.by == "agent":
        _agent_wrote(draft, conversation)


def _agent_wrote(draft: Draft, conversation: Conversation) -> None:
    """Nobody misses its holder; without one, an admin of its page has answered it, and it is new no more."""
    if conversation.holder is None:
        no_more_new(draft, conversation)
    else:
        holder_answered(draft, conversation)


def session_silent(draft: Draft, command: SessionSilent) -> None:
    """Nobody has written for long: it is not counted as its holder's load until somebody does."""
    conversation = _of_open_session(draft, command)
    if conversation is None or conversation.holder is None or conversation.silent:
        return
    if draft.desk.roster.policy.silent_after_s is not None:
        draft.tell(SessionSilenced, conversation)
        drain(draft)


def session_ended(draft: Draft, command: SessionEnded) -> None:
    """The session is over: who held keeps it without its load, who waited or was offered is wanted no more.

    What does not name the open session is a repetition, and changes nothing.
    """
    conversation = _of_open_session(draft, command)
    if conversation is None:
        return
    draft.tell(
        SessionClosed,
        overtake_transfer(draft, conversation),
        standing="held" if conversation.holder else "idle",
        ended_by=command.ended_by,
        customer_messages=command.customer_messages,
        agent_messages=command.agent_messages,
    )
    if conversation.holder:
        drain(draft)


def _open(draft: Draft, conversation: Conversation, command: Route) -> None:
    """Open a session; one of a `done` conversation is the first of its next round.

    Nobody is sought for a customer who was kept out while he wrote: that waits until he is let in.
    """
    reopens = conversation.care == "done"
    if reopens:
        conversation = reopen(draft, conversation)
    conversation = draft.tell(SessionOpened, conversation, session=command.session, facts=_facts(command))
    if command.answered:
        conversation = no_more_new(draft, conversation)
    if conversation.blocked:
        return
    if conversation.standing != "idle":
        customer_wrote(draft, conversation)
    elif not (reopens and to_the_same(draft, conversation)):
        deal(draft, conversation)


def _go_on(draft: Draft, conversation: Conversation, command: Route) -> None:
    """Nobody was wanted when it was asked: somebody is now, or that has been answered already."""
    if conversation.session_open:
        conversation = retag(draft, conversation, command.tags)
    if _is_wanted(conversation):
        deal(draft, conversation)
    else:
        customer_wrote(draft, draft.tell(Confirmed, conversation))


def _is_wanted(conversation: Conversation) -> bool:
    """Whether it stands idle though a session is open, and no human answers it outside."""
    return conversation.standing == "idle" and conversation.session_open and not conversation.quiet_until


def _of_open_session(draft: Draft, command: ConversationCommand) -> Conversation | None:
    """The conversation of `command`, if that names its open session."""
    known = draft.desk.conversations.get(command.key)
    if known is None or not known.session_open or known.session != command.session:
        return None
    return _at_position(known, command)


def _at_position(conversation: Conversation, command: ConversationCommand) -> Conversation:
    if command.position <= conversation.after_position:
        return conversation
    return conversation.changed({"after_position": command.position})


def _facts(command: Route) -> Facts:
    told = {"channel": command.channel, "tags": command.tags, "lists": command.lists}
    return build(Facts, {**told, "language": command.language})
