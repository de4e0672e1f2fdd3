"""What somebody may see: his pages, his audiences, and so in which bucket each conversation is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple, get_args

from workers.gateway.identity import Identity
from workers.gateway.queries.parameters import Parameters
from workers.gateway.roster import Roster
from workers.notifier.places import Bucket, Viewer, bucket

NOBODY = ""
"""No agent is called so: a service holds nothing."""
BucketName = Literal["all", "unclaimed", "mine", "watching", "assigned"]
BUCKETS: tuple[Bucket, ...] = get_args(Bucket)

# What `workers.notifier.places.bucket` decides, said of a row of desk_conversation; a test compares them.
_CONDITIONS: dict[Bucket, str] = {
    "unclaimed": "d.holder IS NULL AND (d.page_id = ANY ({pages})"
    " OR d.audience = ANY ({audiences}) AND d.desk_id = {desk})",
    "mine": "d.holder = {agent} AND d.page_id = ANY ({pages})",
    "watching": "d.holder <> {agent} AND d.page_id = ANY ({pages})",
    "assigned": "d.holder = {agent} AND NOT d.page_id = ANY ({pages})",
}


class Scope(NamedTuple):
    """One who reads. Rules are named within a desk, so audiences are of his desk alone."""

    workspace: str
    agent: str
    desk: str
    pages: frozenset[str]
    """Those that are his: he is an admin of them, or of the workspace."""
    audiences: frozenset[str]

    def bucket_of(self, holder: str | None, audience: str | None, page: str, desk: str) -> Bucket | None:
        """The bucket of a conversation; none: he sees it in no list of his."""
        audiences = self.audiences if desk == self.desk else frozenset()
        return bucket(holder, audience, page, Viewer(self.agent, self.pages, audiences))


def scope_of(identity: Identity, roster: Roster) -> Scope:
    """What `identity` may see. An admin's pages are all, and so are those of a service that may see any."""
    agent = identity.agent or NOBODY
    pages = (page for page in roster.admins if owns(identity, page, roster))
    desk = roster.desk_of.get(agent, "")
    return Scope(identity.workspace, agent, desk, frozenset(pages), roster.audiences(agent, desk))


def owns(identity: Identity, page: str, roster: Roster) -> bool:
    """Whether a page of the workspace is his, so that he sees all of it."""
    if identity.role == "admin" or "conversations" in identity.scopes:
        return page in roster.admins
    return identity.role == "page_admin" and identity.agent in roster.admins.get(page, ())


def condition(scope: Scope, buckets: Collection[Bucket], parameters: Parameters) -> str:
    """SQL that holds for a row `d` of desk_conversation in one of `buckets`."""
    said = " OR ".join(f"({_CONDITIONS[name]})" for name in buckets)
    values = {"pages": scope.pages, "audiences": scope.audiences, "desk": scope.desk, "agent": scope.agent}
    places = {name: parameters.of(value) for name, value in values.items() if f"{{{name}}}" in said}
    return f"({said.format_map(places)})"


def buckets_of(name: BucketName) -> tuple[Bucket, ...]:
    """The buckets of a list; `all` is their disjoint union."""
    return BUCKETS if name == "all" else (name,)
