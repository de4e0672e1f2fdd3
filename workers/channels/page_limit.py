"""How much each page may bring: one that is flooded leaves the others their time, and loses nothing.

What is too much is answered 503 before Kafka has any of the webhook, and the platform posts it again. The
page is known behind the signature only, so nobody can use up another's share.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.inbound import InboundRecord
from workers.channels.channel import Item
from workers.channels.problem import PageFloodedError
from workers.channels.rate_limit import RateLimit

PAGES_MAX = 10_000


class PageLimit:
    """A bucket of events for each page: `rate_per_s` on average, `burst` at once."""

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._limit = RateLimit(rate_per_s, burst, PAGES_MAX, bucket=str)

    def admit(self, items: Iterable[Item], now_s: float) -> None:
        """Count a webhook's events. Raises PageFloodedError when one of its pages has none left.

        A webhook with more events than are left is taken; they are owed.
        """
        counts: dict[str, int] = {}
        for page in (item.page for item in items if isinstance(item, InboundRecord)):
            counts[page] = counts.get(page, 0) + 1
        for page in counts:
            if wait_s := self._limit.wait_s(page, now_s):
                detail = f"The page {page} brings more than {self._rate_per_s:g} events a second."
                raise PageFloodedError(detail, retry_after_s=wait_s)
        for page, count in counts.items():
            self._limit.take(page, now_s, count)
