"""The way out to one endpoint: signed, and only while the endpoint is ours."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from config.webhooks import WebhooksSettings
from workers.webhooks.leases import Leased
from workers.webhooks.metrics import SECONDS
from workers.webhooks.pauses import pause
from workers.webhooks.sender import Sender
from workers.webhooks.signing import Keys, UnknownKeyError
from workers.webhooks.verdict import Answer

LEASE_CHECK_S = 0.1


@dataclass(slots=True)
class Lease:
    """Until when the endpoint is ours, by the monotonic clock in seconds; asked before it was granted."""

    until_s: float


class Post:
    """Sends to one endpoint.

    Args:
        leased: the endpoint.
        lease: until when; renewed from outside.
        ended: set when nothing more is to be begun.
    """

    def __init__(
        self,
        leased: Leased,
        lease: Lease,
        ended: asyncio.Event,
        settings: WebhooksSettings,
        sender: Sender,
        keys: Keys,
    ) -> None:
        self._leased = leased
        self._lease = lease
        self._ended = ended
        self._request_s = settings.request_timeout_s
        self._sender = sender
        self._keys = keys

    async def send(self, id_: str, body: bytes) -> Answer | None:
        """Send once; none: it has ended before that."""
        while self._lease.until_s - time.monotonic() < self._request_s:
            # Nobody else may have it before the answer is here.
            if await pause(self._ended, LEASE_CHECK_S):
                return None
        try:
            secrets = self._secrets(datetime.now(UTC))
        except UnknownKeyError as error:
            return Answer(None, str(error), None, 0)
        answer = await self._sender.send(self._leased.url, secrets, id_, body)
        SECONDS.observe(answer.took_ms / 1000)
        return answer

    def _secrets(self, now: datetime) -> list[str]:
        leased = self._leased
        former = leased.former_salt if leased.former_until is not None and now < leased.former_until else None
        return [self._keys.secret(salt) for salt in (leased.salt, former) if salt is not None]
