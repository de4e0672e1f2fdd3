"""What the website channel consists of in one ingress, and how it lives."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

from config.kept_key import kept_key
from config.settings import Settings
from schemas.ids import page_id
from workers.channels import glance, sighting
from workers.channels.broadcast import Broadcast
from workers.channels.metrics import IngressMetrics
from workers.channels.publisher import OnFailure, Publisher
from workers.channels.sighting import Sighting
from workers.channels.website.addresses import Addresses
from workers.channels.website.blacklist import Blacklist
from workers.channels.website.connection import BLOCKED, NOT_READY, UNKNOWN_PAGE, Tab
from workers.channels.website.gate import Gate
from workers.channels.website.hub import Hub
from workers.channels.website.owners import Owners
from workers.channels.website.presence import Presence
from workers.channels.website.reception import Reception
from workers.channels.website.records import CHANNEL
from workers.channels.website.tail import Tail
from workers.channels.website.teller import Teller
from workers.channels.website.tokens import VisitorTokens
from workers.channels.website.visits import Visits
from workers.files.files import Files
from workers.runtime.postgres import new_pool
from workers.runtime.side_tasks import side_tasks

CONNECTIONS_MAX = 4
LOCAL_KEY = Path(".tongdai/website.key")


class Website:
    """Of one ingress.

    Args:
        publisher: what visitors say goes to Kafka by it.
        on_failure: called with what ended one of its tasks: the process must stop.
        files: of visitors and agents; none: they send none.
    """

    def __init__(
        self,
        settings: Settings,
        publisher: Publisher,
        metrics: IngressMetrics,
        on_failure: OnFailure,
        files: Files | None = None,
    ) -> None:
        own = settings.website
        sites = {site.site: site for site in own.sites}
        self._on_failure = on_failure
        self.files = files
        self.publisher = publisher
        self.metrics = metrics
        self.pool = new_pool(settings, "tongdai ingress website", CONNECTIONS_MAX)
        tokens = VisitorTokens(_keys(settings), own.token_days)
        pages = [page_id(CHANNEL, site) for site in sites]
        self._owners = Owners(self.pool, pages, self._close_moved)
        self.reception = Reception(sites, self.pool, self._owners, tokens, own, files)
        life = uuid4().hex
        self._broadcast = Broadcast[Sighting](
            settings,
            "tongdai ingress sightings",
            sighting.CHANNEL,
            partial(sighting.pack, life),
            {glance.CHANNEL: self._hear_glances},
            metrics.sightings_dropped.inc,
        )
        self.visits = Visits(self.pool, publisher, life, own.grace_s)
        self.presence = Presence(self._broadcast.say, self.visits)
        self._addresses = Addresses(self.pool, own)
        self.hub = Hub(own.sockets_max, own.sockets_per_visitor_max, own.sockets_per_address_max, self.here)
        self._blacklist = Blacklist(self.pool, pages, self._close_blocked)
        self.gate = Gate(sites, self._blacklist, own, metrics)
        self.teller = Teller(self.pool, self.hub, files)
        self._tail = Tail(settings, self.hub, self.teller)
        metrics.visitors.set_function(lambda: self.hub.count)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be connected, with everything that goes on beside the sockets."""
        async with self.pool:
            work = {
                "website-teller": self.teller.run(),
                "website-tail": self._tail.run(),
                "website-presence": self.presence.run(),
                "website-visits": self.visits.run(),
                "website-addresses": self._addresses.run(),
                "website-blacklist": self._blacklist.run(),
                "website-owners": self._owners.run(),
                "website-broadcast": self._broadcast.run(),
            }
            async with side_tasks(work, self._on_failure):
                yield

    def here(self, tab: Tab) -> None:
        """He is there, or more is known of him than before."""
        self.presence.here(tab)
        self._addresses.note(tab)

    @contextmanager
    def present(self, tab: Tab) -> Iterator[None]:
        """A tab is here as long as the block lasts."""
        self.here(tab)
        try:
            yield
        finally:
            self.hub.remove(tab)
            self.presence.gone(tab, time.monotonic())

    def _close_blocked(self, page: str) -> None:
        """The blocks of a page have changed."""
        for tab in self.hub.tabs_of({page}):
            if self._blacklist.keeps_out(page, tab.address):
                tab.close(BLOCKED)

    def _close_moved(self, owners: Mapping[str, str | None]) -> None:
        """Pages are these workspaces' now, or nobody's: who is there must see and tell others' no more."""
        for tab in self.hub.tabs_of(owners):
            workspace = owners[tab.guest.page]
            if tab.workspace != workspace:
                tab.close(NOT_READY if workspace else UNKNOWN_PAGE)

    def _hear_glances(self, text: str) -> None:
        """An agent types: his customer is told. Raises ValueError when it is none of ours."""
        for one in glance.unpack(text)[1]:
            if one.types:
                for tab in self.hub.tabs(one.place[1]):
                    if tab.workspace == one.place[0]:
                        tab.send("typing")


def _keys(settings: Settings) -> list[str]:
    """The operators'; in the local profile one is drawn and kept on this machine. Raises OSError."""
    keys = [key.get_secret_value() for key in settings.website.keys]
    return keys or [kept_key(LOCAL_KEY)]
