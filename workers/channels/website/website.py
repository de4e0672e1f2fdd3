"""What the website channel consists of in one ingress, and how it lives."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from config.kept_key import kept_key
from config.settings import Settings
from config.website import Site
from schemas.ids import conversation_id, page_id
from schemas.inbound import Attachment
from workers.channels import glance, sighting
from workers.channels.broadcast import Broadcast
from workers.channels.closing import Closing
from workers.channels.metrics import IngressMetrics
from workers.channels.network import WHOLE, network_of
from workers.channels.publisher import OnFailure, Publisher
from workers.channels.rate_limit import RateLimit
from workers.channels.sighting import Sighting
from workers.channels.website import identity
from workers.channels.website.addresses import Addresses
from workers.channels.website.blacklist import Blacklist
from workers.channels.website.connection import BLOCKED, NOT_READY, Tab
from workers.channels.website.hub import Hub
from workers.channels.website.identity import Visitor
from workers.channels.website.links import add_links
from workers.channels.website.presence import Presence
from workers.channels.website.records import CHANNEL, Guest
from workers.channels.website.said import ProofByDigest, ProofByToken, Start
from workers.channels.website.tail import Tail
from workers.channels.website.teller import Teller
from workers.channels.website.tokens import VisitorTokens
from workers.channels.website.transcript import LINES_MAX, Ends, Line, ends_of, read_before, workspace_of
from workers.channels.website.visits import Visits
from workers.files import rows
from workers.files.files import Files
from workers.runtime.postgres import new_pool
from workers.runtime.side_tasks import side_tasks

CONNECTIONS_MAX = 4
LOCAL_KEY = Path(".tongdai/website.key")


class Joined(NamedTuple):
    """A visitor who has come, and what his widget is told at the beginning."""

    tab: Tab
    started: dict[str, Any]


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
        self._settings = own
        self._sites = {site.site: site for site in own.sites}
        self._tokens = VisitorTokens(_keys(settings), own.token_days)
        self._on_failure = on_failure
        self._files = files
        self._workspaces: dict[str, str] = {}
        self._address_rate = RateLimit(own.address_rate_per_s, own.address_rate_burst)
        self._visitor_rate = RateLimit(own.visitor_rate_per_s, own.visitor_rate_burst, bucket=str)
        self.publisher = publisher
        self.metrics = metrics
        self.pool = new_pool(settings, "tongdai ingress website", CONNECTIONS_MAX)
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
        pages = [page_id(CHANNEL, site) for site in self._sites]
        self._blacklist = Blacklist(self.pool, pages, self._close_blocked)
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
                "website-broadcast": self._broadcast.run(),
            }
            async with side_tasks(work, self._on_failure):
                yield

    def refusal(self, site: str, origin: str | None, address: str, now_s: float) -> str | None:
        """Why nobody from there may open a socket; browsers are told no more than that it is forbidden."""
        known = self._sites.get(site)
        why = None
        if known is None:
            why = "unknown_site"
        elif origin not in known.origins:
            why = "origin"
        elif self._address_rate.take(address, now_s):
            why = "too_many"
        if why is not None:
            self.metrics.refused.labels("web", why).inc()
        return why

    async def closed_to(self, site: str, address: str) -> Closing | None:
        """Why nobody from an address is let in now, if so; before the blacklist is known nobody is."""
        if not await self._blacklist.known():
            return NOT_READY
        if not self._blacklist.keeps_out(page_id(CHANNEL, site), network_of(address, WHOLE)):
            return None
        self.metrics.refused.labels(CHANNEL, "blocked").inc()
        return BLOCKED

    def wait_s(self, tab: Tab, address: str, now_s: float) -> float:
        """How long a visitor must wait before he may say something; 0: not at all."""
        visitor = self._visitor_rate.take(tab.guest.key, now_s)
        return visitor or self._address_rate.take(address, now_s)

    async def join(self, site: str, start: Start, cut: Callable[[], None]) -> Joined | None:
        """Who has come; none: no workspace has the page. Raises NotVerifiedError and what Postgres raises."""
        known = self._sites[site]
        visitor = self._visitor(known, start)
        guest = Guest(site, visitor, start.language)
        workspace = await self._workspace(guest.page)
        if workspace is None:
            return None
        conversation = conversation_id(guest.key)
        ends = await ends_of(self.pool, workspace, conversation)
        last = ends.position
        lines = [] if start.after or not last else await self.before(workspace, conversation, last + 1)
        position = min(start.after, last) if start.after else last
        tab = Tab(workspace, guest, position, self._settings.send_queue_bytes_max, cut)
        tab.is_known = last > 0
        tab.is_blocked = ends.blocked
        tab.where = start.where
        return Joined(tab, self._started(known, visitor, ends, [line.shown for line in lines]))

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

    def _visitor(self, site: Site, start: Start) -> Visitor:
        """Raises NotVerifiedError."""
        known = self._tokens.read(site.site, start.token) if start.token else None
        if known and (start.proof is None or known.startswith(identity.VERIFIED)):
            return Visitor(known)
        secret = None if site.secret is None else site.secret.get_secret_value()
        match start.proof:
            case ProofByToken(token=token):
                return identity.by_token(secret, token)
            case ProofByDigest(id=id_, hash=digest):
                return identity.by_digest(secret, id_, digest)
        return Visitor(self._tokens.draw())

    def _started(
        self, site: Site, visitor: Visitor, ends: Ends, messages: list[dict[str, Any] | None]
    ) -> dict[str, Any]:
        return {
            "token": self._tokens.issue(site.site, visitor.user),
            "title": site.title,
            "greeting": site.greeting,
            "quick_replies": site.quick_replies,
            "file_bytes_max": None if self._files is None else self._files.settings.file_bytes_max,
            "read": ends.seen,
            "messages": messages,
            "more": len(messages) == LINES_MAX,
        }

    async def sender(self, site: str, token: str, now_s: float) -> tuple[str, str] | None:
        """The workspace and the conversation's key of who has this token; none: he may not send a file now.

        Raises what Postgres raises.
        """
        user = self._tokens.read(site, token)
        if user is None:
            return None
        guest = Guest(site, Visitor(user))
        workspace = await self._workspace(guest.page)
        if workspace is None or self._visitor_rate.take(guest.key, now_s):
            return None
        return workspace, guest.key

    async def named(
        self, workspace: str, conversation: UUID, ids: Collection[str]
    ) -> list[Attachment] | None:
        """Files that a message of his names; none: it may not. Raises what Postgres raises."""
        files = self._files
        if files is None or len(ids) > files.settings.message_files_max:
            return None
        found = await rows.read(self.pool, workspace, ids)
        named = [found[id_] for id_ in ids if id_ in found]
        keep_s = files.settings.unused_keep_s
        if len(named) < len(ids) or not all(one.may_be_named(conversation, keep_s) for one in named):
            return None
        if sum(one.size_bytes or 0 for one in named) > files.settings.message_bytes_max:
            return None
        return [Attachment(type=one.type or "file", name=one.name, file=one.id) for one in named]

    async def before(self, workspace: str, conversation: UUID, position: int) -> list[Line]:
        """The last lines that visitors see before a position. Raises what Postgres raises."""
        lines = await read_before(self.pool, workspace, conversation, position)
        await add_links(self.pool, self._files, lines, lambda _: workspace)
        return lines

    async def _workspace(self, page: str) -> str | None:
        found = self._workspaces.get(page) or await workspace_of(self.pool, page)
        if found is not None:
            self._workspaces[page] = found
        return found

    def _close_blocked(self, page: str) -> None:
        """The blocks of a page have changed."""
        for tab in self.hub.tabs_of_page(page):
            if self._blacklist.keeps_out(page, tab.address):
                tab.close(BLOCKED)

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
