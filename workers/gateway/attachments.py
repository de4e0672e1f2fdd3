"""Files in messages: which an agent may name, and how he sees those of a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Literal
from uuid import UUID

from asyncpg import Connection, Pool
from pydantic import BaseModel

from schemas.base import Channel
from schemas.ids import channel_of, picture_file_id
from schemas.messages import MessageAttachment
from workers.channels.delivery.senders import untaken
from workers.files import rows
from workers.files.file import File
from workers.files.files import Files
from workers.files.link import Content
from workers.files.named import file_of
from workers.gateway.answers import API
from workers.gateway.calls import Body
from workers.gateway.conversations import Conversation
from workers.gateway.problem import ApiError, unavailable

FILES_PATH = f"{API}/files"


class KeptFile(BaseModel):
    """A file of an attachment as it is kept here."""

    state: Literal["pending", "stored", "failed"]
    """`pending`: it is being fetched from its channel."""
    reason: str | None = None
    """Why it is not here yet, or never will be; a word for programs."""
    link: str | None = None
    """Where it is to be read, without a token, for a while; what has ended is asked for again."""
    thumbnail: str | None = None
    """The same of a small JPEG, of pictures."""
    media_type: str | None = None
    """By its content."""
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None


class LineAttachment(MessageAttachment):
    """An attachment as it was said, and its file."""

    kept: KeptFile | None = None
    """None: it is no file, or none that is kept here."""


Said = tuple[UUID, Sequence[LineAttachment]]
"""A message, and its attachments."""


async def with_files(
    connection: Connection, files: Files | None, workspace: str, conversation: UUID, said: Sequence[Said]
) -> list[list[LineAttachment]]:
    """The attachments of messages of one conversation, with their files. Raises what Postgres raises."""
    named = [
        [(each, file_of(str(message), number, dict(each))) for number, each in enumerate(attachments)]
        for message, attachments in said
    ]
    ids = {id_ for attachments in named for _, id_ in attachments if id_ is not None}
    found = await rows.read(connection, workspace, ids) if ids and files is not None else {}
    theirs = {id_: file for id_, file in found.items() if file.conversation in (None, conversation)}
    return [
        [each.model_copy(update={"kept": _kept(files, theirs.get(id_ or ""))}) for each, id_ in attachments]
        for attachments in named
    ]


def kept(files: Files, file: File) -> KeptFile:
    """A file as agents see it."""
    if file.state != "stored":
        state: Literal["pending", "failed"] = "failed" if file.state == "failed" else "pending"
        return KeptFile(state=state, reason=file.reason)
    return KeptFile(
        state="stored",
        link=_link(files, file.content),
        thumbnail=file.thumbnail and _link(files, file.thumbnail),
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        width=file.width,
        height=file.height,
    )


async def kept_picture(
    connection: Connection, files: Files | None, workspace: str, conversation: UUID, url: str
) -> KeptFile | None:
    """A customer's picture that his channel shows at `url`; none: it is not kept, or shows nothing.

    Raises what Postgres raises.
    """
    id_ = picture_file_id(str(conversation), url)
    file = (await rows.read(connection, workspace, [id_])).get(id_)
    is_picture = file is not None and (file.state != "stored" or file.type == "image")
    return _kept(files, file) if is_picture else None


async def attached(
    pool: Pool,
    files: Files | None,
    workspace: str,
    conversation: Conversation,
    said: Body,
    *,
    by_channel: bool,
) -> Body:
    """What an agent says, its files named as they are kept; `by_channel`: it goes to the customer that way.

    Raises ApiError when he may not name one of them, and what Postgres raises.
    """
    attachments: Sequence[MessageAttachment] = getattr(said, "attachments", ())
    ids = [one.file for one in attachments if one.file is not None]
    if not ids:
        return said
    files = available(files)
    found = await rows.read(pool, workspace, ids)
    keep_s = files.settings.unused_keep_s
    named = {id_: file for id_, file in found.items() if file.may_be_named(conversation.id, keep_s)}
    for id_ in ids:
        if id_ not in named:
            raise _refused("unknown_file", f"There is no file {id_} that this conversation may name.")
    if len(ids) > files.settings.message_files_max:
        raise _refused("too_many_files", f"A message has at most {files.settings.message_files_max} files.")
    if sum(named[id_].size_bytes or 0 for id_ in ids) > files.settings.message_bytes_max:
        raise _refused(
            "too_large", f"A message's files have at most {files.settings.message_bytes_max} bytes together."
        )
    if by_channel:
        _refuse_untaken(channel_of(conversation.page), named.values())
    known = tuple(one if one.file is None else attachment_of(named[one.file]) for one in attachments)
    return said.model_copy(update={"attachments": known})


def _refuse_untaken(channel: Channel, named: Iterable[File]) -> None:
    """Told now, and not when the answer has failed. Raises ApiError."""
    for file in named:
        if (taken := untaken(channel, file)) is not None:
            raise _refused("unsupported", f"{channel} takes {taken}: not {file.name}.")


def attachment_of(file: File) -> MessageAttachment:
    """A file as messages name it."""
    return MessageAttachment(type=file.type or "file", name=file.name, file=file.id)


def available(files: Files | None) -> Files:
    """The files of this gateway. Raises ApiError when it keeps none."""
    if files is None:
        raise unavailable("attachments_off", "No files are taken here: its operators have set no key.", 60)
    return files


def _kept(files: Files | None, file: File | None) -> KeptFile | None:
    return None if files is None or file is None else kept(files, file)


def _link(files: Files, content: Content) -> str:
    return f"{FILES_PATH}/{files.links.token(content)}"


def _refused(code: str, sentence: str) -> ApiError:
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, code, sentence)
