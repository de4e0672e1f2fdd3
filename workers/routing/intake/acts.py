"""What agents, services and the CLI do in a conversation: each action has what it does, and one outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from schemas.actions import (
    Action,
    EditTicket,
    EndSession,
    Erase,
    MarkRead,
    OpenTicket,
    Say,
    SendMail,
    SendSms,
    SetLabels,
    SetProfile,
    StartCall,
    StartChat,
    WriteNote,
)
from schemas.envelope import Kind, time_text
from schemas.ids import DEFAULT_DESK
from schemas.outcomes import request_sha256
from workers.routing.intake import replies, transcript
from workers.routing.intake.act import Act, Answer, message_id_of
from workers.routing.intake.chain import BLOCKED
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.erasing import erase
from workers.routing.intake.given import Given
from workers.routing.intake.labelling import set_labels, set_profile
from workers.routing.intake.mailing import send_mail
from workers.routing.intake.outcomes import Remembered
from workers.routing.intake.phoning import send_sms, start_call
from workers.routing.intake.rights import is_forged, no_agent, not_holder
from workers.routing.intake.saying import say
from workers.routing.intake.sessions import end_session
from workers.routing.intake.ticket_acts import cannot_change, edit_ticket, open_ticket
from workers.routing.intake.touching import touch
from workers.routing.intake.transcript import Line
from workers.routing.intake.work import Work
from workers.routing.outcomes import KEY_REUSED, Refusal
from workers.runtime.batch import Record

READ = Kind("messages", "read")


def act(
    work: Work,
    conversation: Conversation | None,
    cause: Record,
    at_ms: int,
    action: Action,
    given: Given,
    refusal: Refusal | None = None,
) -> None:
    """Do `action`, or refuse it, by `refusal` in any case; a repetition changes nothing."""
    desk = DEFAULT_DESK if conversation is None else conversation.desk
    earlier = work.outcomes.earlier(action, at_ms)
    if earlier is not None:
        work.became["repeated_action"] += 1
        if earlier.request_sha256 != request_sha256(action):
            work.outcomes.answer(work.batch, cause, at_ms, desk, action, _reused(action, earlier))
        return
    answer = refusal or _decide(work, conversation, cause, at_ms, action, given)
    work.became["refused_action" if isinstance(answer, Refusal) else "acted"] += 1
    if answer is not None:
        work.outcomes.answer(work.batch, cause, at_ms, desk, action, answer)


def _decide(
    work: Work, conversation: Conversation | None, cause: Record, at_ms: int, action: Action, given: Given
) -> Answer:
    if conversation is None:
        sentence = f"nobody has written in the conversation {action.key} of this workspace yet"
        return Refusal("unknown_conversation", sentence)
    refusal = is_forged(action)
    return refusal or _ACTS[type(action)](Act(work, conversation, cause, at_ms, action, given))


def _reused(action: Action, earlier: Remembered) -> Refusal:
    sentence = (
        f"the idempotency key {action.idempotency_key!r} was used for another action at "
        f"{time_text(earlier.at_ms)}: send this one with a key of its own"
    )
    return Refusal(KEY_REUSED, sentence)


def _say(act: Act[Say]) -> Answer:
    work, conversation, cause, at_ms, action, given = act
    if conversation.blocked:
        return BLOCKED
    if unknown := _unknown_quote(act):
        return unknown
    quoted = given.quoted[conversation.id, action.reply_to] if action.reply_to else None
    if unfit := cannot_change(act):
        return unfit
    message = message_id_of(act)
    refusal = not_holder(conversation, action)
    may_claim = refusal is not None or action.authority == "page_admin"
    if replies.is_waiting(conversation, action.by) or (may_claim and _claims(act)):
        return replies.hold(work, conversation, cause, at_ms, action, message=message, quoted=quoted)
    if refusal is not None:
        return refusal
    result = say(work, conversation, cause, at_ms, action, message=message, quoted=quoted)
    if action.by is not None:
        policy = given.policies.of(conversation.workspace, conversation.desk)
        touch(work, conversation, cause, at_ms, "agent", policy.silent_after_ms)
    return result


def _start_chat(act: Act[Any]) -> Answer:
    """As any message where a session is open; else one begins with it, when the desk says who has it."""
    work, conversation, cause, at_ms, action, given = act
    if refusal := no_agent(action) or _cannot_start(conversation, action):
        return refusal
    if conversation.session_open:
        return _say(act)
    if unfit := _unknown_quote(act) or cannot_change(act):
        return unfit
    quoted = given.quoted[conversation.id, action.reply_to] if action.reply_to else None
    return replies.hold(work, conversation, cause, at_ms, action, message=message_id_of(act), quoted=quoted)


def _unknown_quote(act: Act[Any]) -> Refusal | None:
    position = act.action.reply_to
    if position is None or (act.conversation.id, position) in act.given.quoted:
        return None
    return Refusal("unknown_message", f"there is no message {position} that can be answered")


def _cannot_start(conversation: Conversation, action: StartChat) -> Refusal | None:
    if conversation.channel != "web":
        return Refusal("wrong_channel", "only with a visitor of a website a chat can be begun")
    if conversation.holder not in (None, action.by):
        sentence = f"{conversation.holder} has this conversation"
        return Refusal("taken", sentence, details={"winner": conversation.holder})
    return BLOCKED if conversation.blocked else None


def _claims(act: Act[Say]) -> bool:
    """Whether the answer is a claim: the rule that offers the conversation says so."""
    conversation = act.conversation
    return conversation.standing == "offered" and act.given.rules.reply_claims(
        conversation.workspace, conversation.desk, conversation.offer_rule
    )


def _write_note(act: Act[WriteNote]) -> Answer:
    work, conversation, cause, at_ms, action, _ = act
    line = Line(
        message_id_of(act),
        "bot" if action.by is None else "agent",
        "note",
        action.by or action.actor,
        action.text,
        params={"mentions": action.mentions} if action.mentions else None,
        mentions=action.mentions,
    )
    transcript.append(work, conversation, cause, at_ms, line)
    work.change(conversation)
    return {"message": line.message, "position": conversation.position}


def _mark_read(act: Act[MarkRead]) -> Answer:
    work, conversation, cause, at_ms, action, _ = act
    if refusal := no_agent(action):
        return refusal
    if action.position > conversation.position:
        sentence = f"the transcript ends at {conversation.position}: {action.position} cannot have been read"
        return Refusal("unknown_message", sentence)
    value = {
        **conversation.facts,
        "page": conversation.page,
        "agent": action.by,
        "position": action.position,
        "at": time_text(at_ms),
        "seq": conversation.seq,
        "epoch": conversation.epoch,
    }
    work.batch.emit(cause, READ, key=cause.key, value=orjson.dumps(value), at_ms=at_ms)
    if conversation.channel == "web" and action.position > conversation.seen_position:
        conversation.seen_position = action.position
        work.change(conversation)
    return {"position": action.position}


def _end_session(act: Act[EndSession]) -> Answer:
    work, conversation, cause, at_ms, action, _ = act
    if refusal := not_holder(conversation, action):
        return refusal
    if not conversation.session_open:
        return Refusal("no_session", "no session is open: the customer's next message opens one")
    end_session(work, conversation, cause, at_ms, "agent")
    return {"session": conversation.session}


_ACTS: dict[type[Action], Callable[[Act[Any]], Answer]] = {
    Say: _say,
    StartChat: _start_chat,
    WriteNote: _write_note,
    MarkRead: _mark_read,
    EndSession: _end_session,
    SetLabels: set_labels,
    SetProfile: set_profile,
    OpenTicket: open_ticket,
    EditTicket: edit_ticket,
    SendMail: send_mail,
    SendSms: send_sms,
    StartCall: start_call,
    Erase: erase,
}
"""Every action and who does it: a new one is one line here."""
