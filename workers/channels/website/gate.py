"""Who may come in, and how often he may say something; why not is counted."""

from __future__ import annotations

from collections.abc import Mapping

from config.website import Site, WebsiteSettings
from schemas.ids import page_id
from workers.channels.closing import Closing
from workers.channels.metrics import IngressMetrics
from workers.channels.network import WHOLE, network_of
from workers.channels.rate_limit import RateLimit
from workers.channels.website.blacklist import Blacklist
from workers.channels.website.connection import BLOCKED, NOT_READY
from workers.channels.website.records import CHANNEL


class Gate:
    """Of one ingress.

    Args:
        sites: by their names.
    """

    def __init__(
        self,
        sites: Mapping[str, Site],
        blacklist: Blacklist,
        settings: WebsiteSettings,
        metrics: IngressMetrics,
    ) -> None:
        self._sites = sites
        self._blacklist = blacklist
        self._metrics = metrics
        self._addresses = RateLimit(settings.address_rate_per_s, settings.address_rate_burst)
        self._visitors = RateLimit(settings.visitor_rate_per_s, settings.visitor_rate_burst, bucket=str)

    def refusal(self, site: str, origin: str | None, address: str, now_s: float) -> str | None:
        """Why nobody from there may open a socket; browsers are told no more than that it is forbidden."""
        known = self._sites.get(site)
        why = None
        if known is None:
            why = "unknown_site"
        elif origin not in known.origins:
            why = "origin"
        elif self._addresses.take(address, now_s):
            why = "too_many"
        if why is not None:
            self._metrics.refused.labels(CHANNEL, why).inc()
        return why

    async def closed_to(self, site: str, address: str) -> Closing | None:
        """Why nobody from an address is let in now, if so; before the blacklist is known nobody is."""
        if not await self._blacklist.known():
            return NOT_READY
        if not self._blacklist.keeps_out(page_id(CHANNEL, site), network_of(address, WHOLE)):
            return None
        self._metrics.refused.labels(CHANNEL, "blocked").inc()
        return BLOCKED

    def wait_s(self, visitor: str, address: str, now_s: float) -> float:
        """How long who is at an address must wait before he may say something; 0: not at all.

        Args:
            visitor: the key of his conversation.
        """
        return self._visitors.take(visitor, now_s) or self._addresses.take(address, now_s)

    def sends_too_much(self, visitor: str, now_s: float) -> bool:
        """Whether a visitor may not send a file now; his address has been asked for already."""
        return self._visitors.take(visitor, now_s) > 0
