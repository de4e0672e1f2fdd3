"""What a visitor does, one thing after the other; what is refused is told, and sent again by his widget."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from schemas.inbound import Attachment, InboundRecord, Profile
from workers.channels.publisher import RETRY_AFTER_S, UnpublishedError
from workers.channels.records import Webhook, outgoing
from workers.channels.website.asking import read_asked
from workers.channels.website.connection import Tab
from workers.channels.website.naming import named
from workers.channels.website.records import CHANNEL, profile_of, record_of
from workers.channels.website.said import Move, Older, Ping, Press, Said, Say, Seen, Start, Typing
from workers.channels.website.transcript import LINES_MAX
from workers.runtime.postgres import DATABASE_ERRORS

if TYPE_CHECKING:
    from workers.channels.website.website import Website

RETRY_S = 2.0


class NotTakenError(Exception):
    """What was said is not taken, or not now."""

    def __init__(self, code: str, retry_after_s: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_s = retry_after_s


class Acts:
    """Those of one tab.

    Args:
        address: where it comes from.
    """

    def __init__(self, website: Website, tab: Tab, address: str) -> None:
        self._website = website
        self._tab = tab
        self._address = address

    async def take(self, said: Said) -> None:
        """Do what was said, or tell why not, and after how long it may be said again."""
        tab, now_s = self._tab, time.monotonic()
        wait_s = self._website.gate.wait_s(tab.guest.key, self._address, now_s)
        if wait_s:
            self._refuse(said, "too_many", wait_s)
            return
        match said:
            case Say() | Press() | Seen():
                await self._publish(said)
            case Older():
                await self._older(said)
            case Move():
                tab.where = said.where
                self._website.presence.here(tab)
            case Typing():
                self._website.presence.types(tab, now_s)
            case Ping():
                tab.send("pong")
            case Start():
                self._refuse(said, "started_already", None)

    async def _publish(self, said: Say | Press | Seen) -> None:
        """Have Kafka confirm it; only then it counts."""
        tab, website = self._tab, self._website
        try:
            profile, files = await self._profile(said), await self._files(said)
            if not isinstance(said, Seen):
                # Before it counts: an ingress that is killed leaves nobody of whom the others do not know.
                website.visits.came((tab.workspace, tab.conversation), tab.guest.key)
            if profile is not None:  # before the answer: once that is kept, no other is taken
                await self._confirmed(profile)
            await self._confirmed(record_of(tab.guest, said, tab.where, files))
        except NotTakenError as error:
            self._refuse(said, error.code, error.retry_after_s)
            return
        if isinstance(said, Seen):
            return
        tab.send("taken", id=said.id)
        if not tab.is_known:
            tab.is_known = True
            website.here(tab)

    async def _confirmed(self, record: InboundRecord) -> None:
        """Publish one record. Raises NotTakenError."""
        told = outgoing(Webhook(CHANNEL, b"", time.time_ns() // 1_000_000), record)
        try:
            await self._website.publisher.publish([told])
        except UnpublishedError as error:
            raise NotTakenError("unpublished", RETRY_AFTER_S) from error
        self._website.metrics.records.labels(CHANNEL, told.what).inc()

    async def _files(self, said: Say | Press | Seen) -> list[Attachment]:
        """The files that he names, as they are kept. Raises NotTakenError."""
        tab, website, ids = self._tab, self._website, said.files if isinstance(said, Say) else ()
        if not ids:
            return []
        try:
            found = await named(website.pool, website.files, tab.workspace, tab.conversation, ids)
        except DATABASE_ERRORS as error:
            raise NotTakenError("not_ready", RETRY_S) from error
        if found is None:
            raise NotTakenError("unknown_file")
        return found

    async def _profile(self, said: Say | Press | Seen) -> Profile | None:
        """What he tells of himself, when he was asked; of who is kept out nothing. Raises NotTakenError."""
        tab, shares = self._tab, said.shares if isinstance(said, Say) else None
        if shares is None:
            return None
        answer = tab.guest.message_id(shares.id)
        try:
            asked = await read_asked(self._website.pool, tab.workspace, tab.conversation, shares.of, answer)
        except DATABASE_ERRORS as error:
            raise NotTakenError("not_ready", RETRY_S) from error
        if asked is None or not shares.told.keys() <= asked.asks:
            raise NotTakenError("unknown_question")
        if asked.is_answered:
            raise NotTakenError("answered")
        return None if tab.is_blocked else profile_of(tab.guest, shares)

    async def _older(self, said: Older) -> None:
        tab = self._tab
        try:
            lines = await self._website.reception.before(tab.workspace, tab.conversation, said.before)
        except DATABASE_ERRORS:
            self._refuse(said, "not_ready", RETRY_S)
            return
        tab.send("older", messages=[line.shown for line in lines], more=len(lines) == LINES_MAX)

    def _refuse(self, said: Said, code: str, retry_after_s: float | None) -> None:
        self._website.metrics.refused.labels(CHANNEL, code).inc()
        self._tab.send(
            "refused", do=said.do, id=getattr(said, "id", None), code=code, retry_after_s=retry_after_s
        )
