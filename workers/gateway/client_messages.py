"""What a client says over its socket."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from schemas.base import PageId, Slug
from workers.gateway.asking import KEY_PATTERN
from workers.gateway.tokens import TOKEN_CHARS_MAX


class ClientMessage(BaseModel):
    """One message."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SignIn(ClientMessage):
    """The first message, and again with a new token before the old one ends."""

    do: Literal["sign_in"]
    token: Annotated[str, StringConstraints(min_length=1, max_length=TOKEN_CHARS_MAX)]
    """Of whatever characters: one that is none of ours is answered like one that has ended."""
    last_event_id: Annotated[str, StringConstraints(max_length=TOKEN_CHARS_MAX)] | None = None
    """Of the first one: the id of the last event that the client has seen; what came since is sent."""


class DoCall(ClientMessage):
    """A command, as over HTTP; the answer names `id`."""

    do: Literal["call"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=KEY_PATTERN)]
    call: Annotated[str, StringConstraints(max_length=40)]
    conversation: UUID | None = None
    """Of calls on one conversation."""
    agent: Slug | None = None
    """Of calls on an agent."""
    body: dict[str, Any] = Field(default_factory=dict)


class Active(ClientMessage):
    """The person is there: moved the mouse, pressed a key. At most one in some seconds is needed."""

    do: Literal["active"]


class Away(ClientMessage):
    """The person says that he is away, or back."""

    do: Literal["away"]
    away: bool


class Look(ClientMessage):
    """A conversation is open before the person, or (`off`) not any more."""

    do: Literal["look"]
    conversation: UUID
    off: bool = False


class Watch(ClientMessage):
    """Every new line of a page that is the person's is to be told, or (`off`) not any more."""

    do: Literal["watch"]
    page: PageId
    off: bool = False


class Typing(ClientMessage):
    """The person types in a conversation that he looks at."""

    do: Literal["typing"]
    conversation: UUID


Said = SignIn | DoCall | Active | Away | Look | Watch | Typing
SAID: TypeAdapter[Said] = TypeAdapter(Annotated[Said, Field(discriminator="do")])
