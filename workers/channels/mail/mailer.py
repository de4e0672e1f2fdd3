"""E-mail as a means: each is given to its page's mail server."""

from __future__ import annotations

from typing import ClassVar

from config.errors import ConfigurationError
from config.mail import MailSettings
from schemas.outbound import MeansName
from workers.channels.delivery.vault import Vault
from workers.channels.mail import page_rows
from workers.channels.mail.address import ReplyAddresses
from workers.channels.mail.letter import Letter, mime
from workers.channels.mail.page_rows import PageMail
from workers.channels.mail.parcel import PACK_S, NotPackedError, Packing, Parcel
from workers.channels.mail.smtp import Timeouts, give
from workers.channels.outreach.means import Give
from workers.channels.outreach.result import NotGiven, Result
from workers.channels.outreach.rows import Claimed
from workers.files.files import Files
from workers.runtime.handler import Connection


class Mailer:
    """See workers.channels.outreach.means.Means.

    Args:
        settings: with an address for replies.
        vault: opens the pages' logins.
        files: those that agents attach; none: this worker has none.
    """

    names: ClassVar[tuple[MeansName, ...]] = ("mail",)

    def __init__(self, settings: MailSettings, vault: Vault, files: Files | None = None) -> None:
        self._vault = vault
        self._packing = Packing(files, settings)
        self._addresses = ReplyAddresses(settings)
        self._bounces = settings.bounces
        self.retry = settings.retry
        self.attempts_max = settings.attempts_max
        self._timeouts = Timeouts(settings.request_timeout_s, settings.answer_timeout_s)
        self.fresh_s = settings.request_timeout_s
        self.timeout_s = PACK_S + self._timeouts.whole_s
        self.parallel_max = settings.page_parallel_max

    async def open(self, connection: Connection, page: str) -> Give | NotGiven:
        """See Means.open."""
        try:
            found = await page_rows.read_page(connection, self._vault, page)
        except ConfigurationError as error:
            return NotGiven("mail_login", again=True, detail=str(error))
        if found is None:
            return NotGiven("mail_not_set", again=False)
        return lambda claimed: self._give(connection, claimed, found)

    async def _give(self, connection: Connection, claimed: Claimed, page: PageMail) -> Result:
        try:
            async with self._packing.packed(connection, claimed) as parcel:
                return await self._post(claimed, page, parcel)
        except NotPackedError as error:
            return error.result

    async def _post(self, claimed: Claimed, page: PageMail, parcel: Parcel) -> Result:
        try:
            mail = mime(self._letter(claimed), page.sender, self._addresses, parcel)
        except ValueError as error:  # an address, or a header, that is none
            return NotGiven("mail_address", again=False, detail=type(error).__name__)
        envelope = page.sender.address
        if self._bounces == "reply" and claimed.token:
            envelope = self._addresses.address(claimed.token)
        return await give(page.server, envelope, claimed.content["to"], mail, self._timeouts)

    def _letter(self, claimed: Claimed) -> Letter:
        former = [self._addresses.named(one) for one in reversed(claimed.former)]
        return Letter(
            claimed.message,
            claimed.ticket,
            claimed.token or "",
            written_at=claimed.written_at,
            to=claimed.content["to"],
            subject=claimed.content["subject"],
            text=claimed.content["text"],
            former=former,
        )
