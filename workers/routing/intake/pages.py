"""Which workspace and desk a page belongs to, and what it says by itself: remembered for at most a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from schemas.definitions import AutoText
from workers.routing.intake.freshness import Freshness
from workers.routing.intake.greeting import AutoTexts
from workers.runtime.handler import Connection

# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the table's size.
OWNERS = """
SELECT registered.page_id, registered.workspace_id, registered.desk_id, said.greeting, said.out_of_hours
FROM unnest($1::text[]) AS wanted (page_id)
CROSS JOIN LATERAL (
    SELECT page_id, workspace_id, desk_id FROM page_registry WHERE page_id = wanted.page_id LIMIT 1
) AS registered
LEFT JOIN LATERAL (
    SELECT definition->>'greeting' AS greeting, definition->>'out_of_hours' AS out_of_hours FROM desk_page
    WHERE workspace_id = registered.workspace_id AND desk_id = registered.desk_id
        AND page_id = registered.page_id AND active
    LIMIT 1
) AS said ON true
"""
SILENT = AutoTexts()


class Owner(NamedTuple):
    """Whose a page is."""

    workspace: str
    desk: str
    texts: AutoTexts = SILENT


Owners = Mapping[str, Owner]
"""By page; one that nobody has connected is not in it."""


class Pages:
    """A cache of the registry that is never older than a second; unknown pages are not remembered."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._freshness = Freshness(clock_s)
        self._owners: dict[str, Owner] = {}

    async def look_up(self, connection: Connection, pages: set[str]) -> Owners:
        """The owners of `pages`, as far as they have one, and perhaps others."""
        if self._freshness.is_over():
            self._owners = {}  # another batch that is in hand keeps what it was given
        owners = self._owners
        missing = pages - owners.keys()
        if missing:
            for page, workspace, desk, *texts in await connection.fetch(OWNERS, list(missing)):
                owners[page] = Owner(workspace, desk, AutoTexts(*map(_text, texts)))
        return owners


def _text(definition: str | None) -> AutoText | None:
    return None if definition is None else AutoText.model_validate_json(definition)
