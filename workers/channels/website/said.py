"""What a visitor's widget says over its socket."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

from schemas.base import ATTACHMENTS_MAX, NO_CONTROL_PATTERN, FileId
from schemas.inbound import SentAtMs
from schemas.phones import find_phone
from workers.channels.mail.address import ADDRESS_CHARS_MAX, is_address

TEXT_CHARS_MAX = 4_000
SEEN_MAX = 100
POSITION_MAX = 2**31 - 1
TOKEN_CHARS_MAX = 2_000

Position = Annotated[int, Field(ge=0, le=POSITION_MAX)]
ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Drawn by the widget for each message: sent again under the same one, it counts once."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=NO_CONTROL_PATTERN)]


def _phone(text: str) -> str:
    found = find_phone(text)
    if found is None:
        raise ValueError("this is no phone number")
    return found


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError("this is no e-mail address")
    return text


Phone = Annotated[str, StringConstraints(max_length=40), AfterValidator(_phone)]
"""As we write it, however it was written."""
Address = Annotated[str, StringConstraints(max_length=ADDRESS_CHARS_MAX), AfterValidator(_address)]


class Words(BaseModel):
    """One thing that is said."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Where(Words):
    """The page of the website that the visitor has before him."""

    url: Annotated[str, StringConstraints(max_length=1_000, pattern=r"^https?://[^\x00-\x20\x7f]*$")]
    title: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class ProofByToken(Words):
    """See identity.by_token."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=TOKEN_CHARS_MAX)]


class ProofByDigest(Words):
    """See identity.by_digest."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    hash: Annotated[str, StringConstraints(min_length=64, max_length=64)]


class Start(Words):
    """The first thing on a socket."""

    do: Literal["start"]
    token: Annotated[str, StringConstraints(min_length=1, max_length=TOKEN_CHARS_MAX)] | None = None
    """Of a visitor who was here before; one that is not taken is as none."""
    proof: ProofByToken | ProofByDigest | None = None
    conversation: UUID | None = None
    """The one that the widget shows; when it is not his, nothing of his is there yet, and `after` is 0."""
    after: Position = 0
    """The last position that the widget has; 0: nothing, and the newest messages are sent."""
    language: Annotated[str, StringConstraints(max_length=20, pattern=r"^[A-Za-z0-9_-]*$")] = ""
    where: Where | None = None


class Shares(Words):
    """What a visitor tells of himself, since he was asked; nothing: he would rather not."""

    of: Position
    """Of the message that asks."""
    name: Line | None = None
    phone: Phone | None = None
    email: Address | None = None

    @property
    def id(self) -> str:
        """The one id of an answer to it, from whatever tab: it counts once."""
        return f"answer-{self.of}"

    @property
    def told(self) -> dict[str, Any]:
        """What he tells, by its name."""
        return self.model_dump(exclude={"of"}, exclude_none=True)


class Say(Words):
    """A message."""

    do: Literal["say"]
    id: ClientId
    text: Annotated[str, StringConstraints(max_length=TEXT_CHARS_MAX, pattern=r"^$|[^\s\x00]")] = ""
    files: Annotated[tuple[FileId, ...], Field(max_length=ATTACHMENTS_MAX)] = ()
    """What he has sent here before."""
    shares: Shares | None = None
    """`text` says the same in words."""
    at_ms: SentAtMs

    @model_validator(mode="after")
    def _says_something(self) -> Say:
        if not self.text and not self.files:
            raise ValueError("a message needs a text or a file")
        if self.shares and (self.files or self.id != self.shares.id):
            raise ValueError("an answer has the id of its question, and no files")
        return self


class Press(Words):
    """A quick reply."""

    do: Literal["press"]
    id: ClientId
    title: Line
    at_ms: SentAtMs


class Seen(Words):
    """Answers that are in the widget, or that the visitor has before his eyes."""

    do: Literal["seen"]
    state: Literal["delivered", "read"]
    messages: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=SEEN_MAX)]


class Older(Words):
    """Messages before a position."""

    do: Literal["older"]
    before: Position


class Move(Words):
    """The visitor went to another page without leaving the document."""

    do: Literal["move"]
    where: Where


class Typing(Words):
    """He types; at most one in some seconds is needed."""

    do: Literal["typing"]


class Ping(Words):
    """Is anybody there? Browsers do not show programs the pings of the protocol."""

    do: Literal["ping"]


Said = Annotated[Start | Say | Press | Seen | Older | Move | Typing | Ping, Field(discriminator="do")]
SAID: TypeAdapter[Said] = TypeAdapter(Said)
