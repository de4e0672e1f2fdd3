"""What somebody may see: his pages, his audiences, and so in which bucket each conversation is."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from workers.gateway.identity import Identity
from workers.gateway.roster import Roster
from workers.notifier.places import Bucket, Viewer, bucket

NOBODY = ""
"""No agent is called so: a service holds nothing, nor does who is of no desk any more."""
BucketName = Literal["all", "unclaimed", "mine", "watching", "assigned"]
BUCKETS: tuple[Bucket, ...] = get_args(Bucket)


class Scope(NamedTuple):
    """One who reads. Rules are named within a desk, so audiences are of his desk alone."""

    workspace: str
    agent: str
    desk: str
    pages: frozenset[str]
    """Those that are his: he is an admin of them, or of the workspace."""
    audiences: frozenset[str]
    is_everywhere: bool
    """Whether all pages of the workspace are his."""
    desk_pages: frozenset[str]
    """Of his desk."""

    def bucket_of(self, holder: str | None, audience: str | None, page: str, desk: str) -> Bucket | None:
        """The bucket of a conversation; none: he sees it in no list of his."""
        audiences = self.audiences if desk == self.desk else frozenset()
        return bucket(holder, audience, page, Viewer(self.agent, self.pages, audiences))


def scope_of(identity: Identity, roster: Roster) -> Scope:
    """What `identity` may see. An admin's pages are all, and so are those of a service that may see any."""
    is_somebody = identity.role == "admin" or identity.agent in roster.desk_of
    agent = (identity.agent if is_somebody else None) or NOBODY
    pages = frozenset(page for page in roster.admins if owns(identity, page, roster))
    desk = roster.desk_of.get(agent, "")
    return Scope(
        identity.workspace,
        agent,
        desk,
        pages,
        audiences=roster.audiences(agent, desk),
        is_everywhere=len(pages) == len(roster.admins),
        desk_pages=frozenset(page for page, of in roster.desk_of_page.items() if of == desk),
    )


def owns(identity: Identity, page: str, roster: Roster) -> bool:
    """Whether a page of the workspace is his, so that he sees all of it."""
    if identity.role == "admin" or "conversations" in identity.scopes:
        return page in roster.admins
    return identity.role == "page_admin" and identity.agent in roster.admins.get(page, ())


def buckets_of(name: BucketName) -> tuple[Bucket, ...]:
    """The buckets of a list; `all` is their disjoint union."""
    return BUCKETS if name == "all" else (name,)
