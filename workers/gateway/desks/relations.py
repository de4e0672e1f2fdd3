"""How somebody stands to a desk."""

from __future__ import annotations

from workers.gateway.rights import DeskRelation
from workers.gateway.roster import Roster


def desk_relations(agent: str | None, desk: str, roster: Roster) -> frozenset[DeskRelation]:
    """Whether `agent` administers a page of the desk: who is of no desk stands in no relation."""
    if agent not in roster.desk_of:
        return frozenset()
    his = (page for page, admins in roster.admins.items() if agent in admins)
    return frozenset(("page_admin",) if any(roster.desk_of_page[page] == desk for page in his) else ())
