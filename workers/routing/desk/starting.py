"""An agent begins a chat with a visitor who is there: no session is open, and nobody else may have it."""

from __future__ import annotations

from schemas.asks import Beginning, ReplyClaim
from schemas.assignments import Facts, SessionOpened
from schemas.building import build
from workers.routing.desk.access import administers, is_of_page, no_agent
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.handing import hand_by_person, held
from workers.routing.desk.outcomes import blocked, taken
from workers.routing.desk.reopening import reopen
from workers.routing.outcomes import Refusal, Result


def start(
    draft: Draft, conversation: Conversation, command: ReplyClaim, begins: Beginning
) -> Refusal | Result:
    """Open its next session, and give it to who begins it."""
    agent = command.by
    if agent is None:
        return Refusal("forbidden", "only an agent can begin a chat: say in whose name")
    refusal = no_agent(draft.desk, agent) or _refusal(draft, conversation, command, agent)
    if refusal is not None:
        return refusal
    conversation = _open(draft, conversation, command, begins)
    if conversation.holder == agent:
        return held(conversation)
    return hand_by_person(draft, conversation, agent, "start", command)


def _refusal(draft: Draft, conversation: Conversation, command: ReplyClaim, agent: str) -> Refusal | None:
    if conversation.holder not in (None, agent):
        return taken(draft, conversation, command)
    if conversation.blocked:
        return blocked(draft.desk, command, conversation)
    page = conversation.page
    if is_of_page(draft.desk, agent, page) or administers(draft.desk, command, page):
        return None
    return Refusal("not_listed", f"you do not work for the page {page!r}")


def _open(draft: Draft, conversation: Conversation, command: ReplyClaim, begins: Beginning) -> Conversation:
    """Open its session; one of a `done` conversation is the first of its next round."""
    if begins.position > conversation.after_position:
        conversation = conversation.changed({"after_position": begins.position})
    if conversation.care == "done":
        conversation = reopen(draft, conversation, command.actor)
    facts = build(Facts, {"channel": begins.channel, "tags": begins.tags, "lists": (), "language": None})
    return draft.tell(SessionOpened, conversation, session=begins.session, facts=facts)
