"""Who has come, and what his widget is told at the beginning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import SecretStr

from config.website import Site, WebsiteSettings
from schemas.ids import conversation_id
from workers.channels.website import identity
from workers.channels.website.connection import Tab
from workers.channels.website.identity import EndedProofError, NotVerifiedError, Visitor
from workers.channels.website.links import add_links
from workers.channels.website.owners import Owners
from workers.channels.website.records import Guest
from workers.channels.website.said import ProofByDigest, ProofByToken, Start
from workers.channels.website.tokens import VisitorTokens
from workers.channels.website.transcript import LINES_MAX, Ends, Line, ends_of, read_before
from workers.files.files import Files


class Joined(NamedTuple):
    """A visitor who has come, and what his widget is told at the beginning."""

    tab: Tab
    started: dict[str, Any]


class Reception:
    """Of one ingress.

    Args:
        sites: by their names.
        pool: asyncpg's.
        owners: of the sites' pages.
        files: of visitors and agents; none: they send none.
    """

    def __init__(
        self,
        sites: Mapping[str, Site],
        pool: Any,  # noqa: ANN401 - asyncpg's
        owners: Owners,
        tokens: VisitorTokens,
        settings: WebsiteSettings,
        files: Files | None,
    ) -> None:
        self._sites = sites
        self._pool = pool
        self._owners = owners
        self._tokens = tokens
        self._bytes_max = settings.send_queue_bytes_max
        self._files = files

    async def join(self, site: str, start: Start, cut: Callable[[], None]) -> Joined | None:
        """Who has come; none: no workspace has the page. Raises NotVerifiedError and what Postgres raises."""
        known = self._sites[site]
        visitor, token = self._visitor(known, start)
        guest = Guest(site, visitor, start.language)
        workspace = await self._owners.workspace(guest.page)
        if workspace is None:
            return None
        conversation = conversation_id(guest.key)
        ends = await ends_of(self._pool, workspace, conversation)
        last = ends.position
        after = start.after if start.conversation in {None, conversation} else 0
        lines = [] if after or not last else await self.before(workspace, conversation, last + 1)
        position = min(after, last) if after else last
        tab = Tab(workspace, guest, position, self._bytes_max, cut)
        tab.is_known = last > 0
        tab.is_blocked = ends.blocked
        tab.where = start.where
        if await self._owners.workspace(guest.page) != workspace:
            return None  # another's meanwhile; only who is here already is closed for that
        return Joined(tab, self._started(known, token, tab, ends, [line.shown for line in lines]))

    async def sender(self, site: str, token: str) -> tuple[str, str] | None:
        """The workspace and the conversation's key of who has this token; none: nobody of this site.

        Raises what Postgres raises.
        """
        user = self._tokens.read(site, token)
        if user is None:
            return None
        guest = Guest(site, Visitor(user))
        workspace = await self._owners.workspace(guest.page)
        return None if workspace is None else (workspace, guest.key)

    async def before(self, workspace: str, conversation: UUID, position: int) -> list[Line]:
        """The last lines that visitors see before a position. Raises what Postgres raises."""
        lines = await read_before(self._pool, workspace, conversation, position)
        await add_links(self._pool, self._files, lines, lambda _: workspace)
        return lines

    def _visitor(self, site: Site, start: Start) -> tuple[Visitor, str]:
        """Who it is, and his token: a new one, or that which he had before his proof ended.

        Raises NotVerifiedError.
        """
        known = self._tokens.read(site.site, start.token) if start.token else None
        if start.proof is None:
            visitor = Visitor(_anonymous(known) or self._tokens.draw())
        else:
            try:
                visitor = _proved(site, start.proof)
            except EndedProofError as ended:
                if start.token is None or known != ended.user:
                    raise
                return Visitor(known), start.token
        return visitor, self._tokens.issue(site.site, visitor.user)

    def _started(
        self, site: Site, token: str, tab: Tab, ends: Ends, messages: list[dict[str, Any] | None]
    ) -> dict[str, Any]:
        return {
            "conversation": tab.conversation,
            "token": token,
            "title": site.title,
            "greeting": site.greeting,
            "quick_replies": site.quick_replies,
            "file_bytes_max": None if self._files is None else self._files.settings.file_bytes_max,
            "read": ends.seen,
            "messages": messages,
            "more": len(messages) == LINES_MAX,
        }


def _anonymous(known: str | None) -> str | None:
    """Whose token it is. Raises NotVerifiedError when he has to prove it."""
    if known is not None and known.startswith(identity.VERIFIED):
        raise NotVerifiedError("A token of who was verified is taken beside his proof alone.")
    return known


def _proved(site: Site, proof: ProofByToken | ProofByDigest) -> Visitor:
    """Raises NotVerifiedError."""
    if isinstance(proof, ProofByToken):
        return identity.by_token(_shown(site.secret), proof.token)
    return identity.by_digest(_shown(site.hash_secret), proof.id, proof.hash)


def _shown(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
