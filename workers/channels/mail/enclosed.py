"""What is attached to a reply: kept here before the mail is acknowledged, then named by its message.

A mail that comes again, because Kafka or the store was away, finds what was kept of it before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from asyncpg import Pool

from config.logging import get_logger
from schemas import inbound
from schemas.ids import conversation_id, fetched_file_id
from workers.channels.mail.reading import Attached
from workers.channels.outreach.places import Place
from workers.channels.problem import OverloadedError
from workers.files import rows
from workers.files.files import Files, FilesBusyError, TooManyUnusedError
from workers.files.refusal import FileRefusedError
from workers.files.storage import StorageDownError

RETRY_AFTER_S = 5.0
CHUNK_BYTES = 262_144
_log = get_logger(__name__)


class Enclosing:
    """Args:
    files: where they are kept; none: they are named only.
    pool: of the same database.
    """

    def __init__(self, files: Files | None, pool: Pool) -> None:
        self._files = files
        self._pool = pool

    async def keep(
        self, message: str, place: Place, attached: tuple[Attached, ...]
    ) -> tuple[inbound.Attachment, ...]:
        """The attachments of `message` as its record names them; those that are not taken by name alone.

        Raises OverloadedError: it is to be sent again; and what Postgres raises.
        """
        kept = [await self._keep(message, number, place, one) for number, one in enumerate(attached)]
        return tuple(kept)

    async def _keep(self, message: str, number: int, place: Place, one: Attached) -> inbound.Attachment:
        named = inbound.Attachment(type="file", name=one.name)
        if self._files is None or number >= self._files.settings.message_files_max:
            return named
        conversation, id_ = conversation_id(place.key), fetched_file_id(message, number)
        try:
            file = await self._files.take(
                self._pool, place.workspace, conversation, place.key, _chunks(one.data), one.name, id_=id_
            )
        except FileRefusedError as refusal:
            if refusal.code == "too_slow":
                raise _again() from refusal
            # It must not count among those that no message names: mails with others would not be taken.
            await rows.forget(self._pool, place.workspace, id_)
            _log.info("mail_file_refused", workspace=place.workspace, message=message, code=refusal.code)
            return named
        except (FilesBusyError, TooManyUnusedError, StorageDownError) as error:
            raise _again() from error
        return inbound.Attachment(type=file.type or "file", name=file.name, file=file.id)


def _again() -> OverloadedError:
    return OverloadedError("Its files cannot be kept now. Send it again.", retry_after_s=RETRY_AFTER_S)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(data), CHUNK_BYTES):
        yield data[begin : begin + CHUNK_BYTES]
