"""SMS and calls as a means: each is asked for from its page's provider."""

from __future__ import annotations

from typing import ClassVar

import httpx

from config.phone import PhoneAccount, PhoneSettings
from config.settings import Settings
from schemas.outbound import MeansName
from workers.channels.delivery.posting import open_client
from workers.channels.outreach.means import Give
from workers.channels.outreach.result import NotGiven, Result
from workers.channels.outreach.rows import Claimed
from workers.channels.outreach.runner import Runner
from workers.channels.phone import page_rows, provider
from workers.runtime.handler import Connection


class Caller:
    """See workers.channels.outreach.means.Means.

    Args:
        settings: with accounts at providers.
        client: whose connections are used.
    """

    names: ClassVar[tuple[MeansName, ...]] = ("sms", "call")

    def __init__(self, settings: PhoneSettings, client: httpx.AsyncClient) -> None:
        self._settings = settings
        self._client = client
        self._accounts = {account.name: account for account in settings.accounts}
        self.retry = settings.retry
        self.attempts_max = settings.attempts_max
        self.fresh_s = self.timeout_s = settings.request_timeout_s
        self.parallel_max = settings.page_parallel_max

    async def open(self, connection: Connection, page: str) -> Give | NotGiven:
        """See Means.open."""
        found = await page_rows.read_page(connection, page)
        account = None if found is None else self._accounts.get(found.account)
        if found is None or account is None:
            return NotGiven("phone_not_set", again=False)
        number = found.number
        return lambda claimed: self._give(claimed, account, number)

    async def _give(self, claimed: Claimed, account: PhoneAccount, number: str) -> Result:
        if claimed.age_s > (
            self._settings.sms_late_s if claimed.means == "sms" else self._settings.call_late_s
        ):
            return NotGiven("phone_late", again=False)
        numbers = (claimed.content["to"], claimed.content.get("agent_phone", claimed.content["to"]))
        if not all(each.startswith(self._settings.prefixes) for each in numbers):
            return NotGiven("phone_number", again=False, detail="of a country that the settings do not name")
        return await provider.ask(self._client, account, number, claimed, self.timeout_s)


async def run_caller(settings: Settings) -> None:
    """Work until cancelled. Raises what nobody foresaw."""
    async with open_client(settings.delivery) as client:
        await Runner(settings, Caller(settings.phone, client)).run()
