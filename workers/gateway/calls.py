"""Every call on conversations and agents: its path, its body, and the command or action that it becomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from config.topics import ACTIONS, COMMANDS
from schemas import actions, asks
from schemas.actions import Action
from schemas.asks import BULK_MAX, Bulk, ConversationAsk, ManyWhat, Subject
from schemas.assignments import BlockDays, CareStatus, DoneOutcome
from schemas.base import Slug, rfc3339
from schemas.catalogue import RECORDS
from schemas.commands import Amend, AskedCommand
from schemas.definitions import Capacity, ChannelCapacity
from schemas.envelope import Kind, headers
from schemas.ids import desk_key
from schemas.outcomes import request_sha256
from schemas.tickets import TicketFields
from workers.channels.records import Outgoing
from workers.gateway.conversations import Conversation
from workers.gateway.identity import Identity
from workers.gateway.problem import invalid
from workers.gateway.rights import Call
from workers.gateway.waiting import Request

SOURCE = "tongdai/gateway"

Asked = AskedCommand | Action
"""What has exactly one outcome."""
M = TypeVar("M", bound=BaseModel)
OnAgent = TypeVar("OnAgent", bound=asks.SetCapacity | asks.SetLeave)
OnDesk = TypeVar("OnDesk", bound=asks.SetTicketFields | Amend)

_KINDS: dict[type[BaseModel], Kind] = {model: kind for kind, model in RECORDS.items()}


class Body(BaseModel):
    """What a client sends: a field that is not known is told at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ConversationCall(NamedTuple):
    """A call on one conversation."""

    name: Call
    path: str
    """Behind the conversation's id."""
    method: Literal["POST", "PUT"]
    model: type[ConversationAsk | Action]
    body: type[Body]
    """Without fields when there is nothing to say."""
    needs_visitor: bool = False
    """Only while its visitor is on the website; he may never have written."""


def _call(
    name: Call,
    model: type[ConversationAsk | Action],
    path: str | None = None,
    method: Literal["POST", "PUT"] = "POST",
    *,
    needs_visitor: bool = False,
) -> ConversationCall:
    # A body has the fields of its command that do not say who asks, or about what.
    common = {*AskedCommand.model_fields, *Action.model_fields, *Subject.model_fields}
    own: Mapping[str, Any] = {
        field: (info.annotation, info) for field, info in model.model_fields.items() if field not in common
    }
    body = create_model(f"{model.__name__}Body", __base__=Body, __doc__=model.__doc__, **own)
    return ConversationCall(name, path or name.replace("_", "-"), method, model, body, needs_visitor)


CONVERSATION_CALLS: dict[Call, ConversationCall] = {
    call.name: call
    for call in (
        _call("claim", asks.Claim),
        _call("release", asks.Release),
        _call("appoint", asks.Appoint),
        _call("transfer", asks.Transfer),
        _call("transfer_accept", asks.TransferAccept, "transfer/accept"),
        _call("transfer_reject", asks.TransferReject, "transfer/reject"),
        _call("transfer_cancel", asks.TransferCancel, "transfer/cancel"),
        _call("take_over", asks.TakeOver),
        _call("take_off", asks.TakeOff),
        _call("set_care", asks.SetCare, "care"),
        _call("link_order", asks.LinkOrder, "orders", "PUT"),
        _call("follow", asks.Follow),
        _call("unfollow", asks.Unfollow),
        _call("mute", asks.Mute),
        _call("unmute", asks.Unmute),
        _call("block", asks.Block),
        _call("unblock", asks.Unblock),
        _call("say", actions.Say, "messages"),
        _call("start_chat", actions.StartChat, "chat", needs_visitor=True),
        _call("write_note", actions.WriteNote, "notes"),
        _call("mark_read", actions.MarkRead, "read"),
        _call("end_session", actions.EndSession, "session-end"),
        _call("set_labels", actions.SetLabels, "labels"),
        _call("set_profile", actions.SetProfile, "profile", "PUT"),
        _call("open_ticket", actions.OpenTicket, "tickets"),
        _call("edit_ticket", actions.EditTicket, "tickets", "PUT"),
        _call("send_mail", actions.SendMail, "mails"),
        _call("send_sms", actions.SendSms, "sms"),
        _call("start_call", actions.StartCall, "calls"),
        _call("erase", actions.Erase, "erasure"),
    )
}
CALLS_BY_NAME: Mapping[str, ConversationCall] = dict(CONVERSATION_CALLS.items())
"""The same for names that anybody may have sent."""


class CapacityBody(Body):
    """How many open sessions the agent may hold, of all channels or of one; null: no limit."""

    capacity: Capacity | None
    channel_capacity: ChannelCapacity | None = None
    """All channels that have a limit of their own; null: those that have one keep it."""


class LeaveBody(Body):
    """The agent goes on leave or comes back; what becomes of his conversations."""

    on_leave: bool
    then: Literal["keep", "pool", "next"] = "next"


class TicketFieldsBody(Body):
    """What tickets can say, in the order in which it is shown."""

    fields: TicketFields


class BulkBody(Body):
    """One thing about many conversations of one desk, each decided by itself."""

    what: ManyWhat
    conversations: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=BULK_MAX)]
    agent: Slug | None = None
    then: Literal["pool", "next"] = "next"
    care: CareStatus | None = None
    outcome: DoneOutcome | None = None
    days: BlockDays | None = None
    reason: Slug | None = None


def on_conversation(
    call: ConversationCall,
    identity: Identity,
    conversation: Conversation,
    key: str,
    body: Body,
    stands: Collection[str] = (),
) -> Asked:
    """The command or action of a call on one conversation, to which the asker `stands` so.

    Desks know the admins of pages; intake does not, so an action says that one of them acts.
    Raises ApiError when it makes no sense.
    """
    said = {
        **_asker(identity, key),
        **body.model_dump(exclude_unset=True),
        "conversation": conversation.id,
        "key": conversation.key,
    }
    if issubclass(call.model, ConversationAsk):
        said["desk"] = conversation.desk
    elif identity.role == "page_admin" and "administrator" in stands:
        said["authority"] = "page_admin"
    return _made(call.model, said)


def on_agent(
    model: type[OnAgent],
    identity: Identity,
    desk: str,
    agent: str,
    key: str,
    body: Body,
) -> OnAgent:
    """The command of a call on an agent."""
    return _made(model, {**_asker(identity, key), **body.model_dump(), "desk": desk, "agent": agent})


def on_desk(
    model: type[OnDesk],
    identity: Identity,
    desk: str,
    key: str,
    said: Mapping[str, Any],
) -> OnDesk:
    """The command of a call on a desk."""
    return _made(model, {**said, **_asker(identity, key), "desk": desk})


def on_many(identity: Identity, conversations: list[Conversation], key: str, body: BulkBody) -> Asked:
    """The command of a bulk call; all conversations are of the first one's desk."""
    said = body.model_dump(exclude={"conversations"}, exclude_unset=True)
    subjects = tuple(Subject(conversation=one.id, key=one.key) for one in conversations)
    return _made(Bulk, {**_asker(identity, key), **said, "desk": conversations[0].desk, "subjects": subjects})


def record_of(asked: Asked) -> Outgoing:
    """The record on commands or actions."""
    kind = _KINDS[type(asked)]
    topic = ACTIONS if isinstance(asked, Action) else COMMANDS
    key = asked.key if isinstance(asked, Action) else desk_key(asked.workspace, asked.desk)
    value = asked.model_dump_json().encode()
    named = headers(
        kind,
        id_=f"{asked.actor}/{asked.idempotency_key}",
        source=SOURCE,
        subject=key,
        time=rfc3339(datetime.now(UTC)),
    )
    return Outgoing(topic.name, key.encode(), value, named, kind.what)


def request_of(asked: Asked) -> Request:
    """What its outcome will name."""
    return Request(_KINDS[type(asked)].what, request_sha256(asked))


def _asker(identity: Identity, key: str) -> dict[str, Any]:
    is_admin = identity.role in ("admin", "service")
    return {
        "workspace": identity.workspace,
        "actor": identity.actor,
        "idempotency_key": key,
        "by": identity.agent,
        "authority": "admin" if is_admin else "agent",
    }


def _made(model: type[M], said: Mapping[str, Any]) -> M:
    try:
        return model.model_validate(said)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False)) from error
