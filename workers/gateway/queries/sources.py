"""Of what a list is put together: each source has its conversations in the order of an index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

from schemas.assignments import CareStatus
from workers.gateway.queries.filters import Filters, takes_page
from workers.gateway.queries.scope import Scope, buckets_of

UNHELD: tuple[CareStatus, ...] = ("new", "waiting")
"""Nobody has it: so says the desk."""
CARES: tuple[CareStatus, ...] = get_args(CareStatus)
HELD: tuple[CareStatus, ...] = tuple(care for care in CARES if care not in UNHELD)

# What `workers.notifier.places.bucket` decides, said of rows n; a test compares them.
_OF_HIS_PAGES = "n.page_id = ANY ({pages})"
_OF_OTHERS = "NOT n.page_id = ANY ({pages})"
_WATCHED = f"n.holder <> {{agent}} AND {_OF_HIS_PAGES}"
_OFFERED = f"n.holder IS NULL AND n.page_id = ANY ({{desk_pages}}) AND {_OF_OTHERS}"

Column = Literal["page_id", "holder", "audience"]


class Source(NamedTuple):
    """The conversations of each key, each care status apart. No two sources of a list share one."""

    column: Column | None
    """None: all of the workspace."""
    keys: tuple[str, ...]
    cares: tuple[CareStatus, ...]
    """None of them: not apart."""
    condition: str
    """SQL on a row n, with places for what is in a scope: of these it is a source."""

    @property
    def streams(self) -> int:
        """How many stretches of the index it is."""
        return (len(self.keys) if self.column else 1) * (len(self.cares) or 1)


def sources_of(scope: Scope, filters: Filters) -> list[Source]:
    """The sources of a list, those without anything left out."""
    found = _of_holder(scope, filters) if filters.holder is not None else _of_buckets(scope, filters)
    return [one for one in found if one.streams and (one.cares or one.column == "audience")]


def _of_holder(scope: Scope, filters: Filters) -> Iterator[Source]:
    """What a named agent holds, as far as it is in the buckets."""
    buckets, held = buckets_of(filters.bucket), _wanted(filters, HELD)
    named = (filters.holder or "",)
    if filters.holder != scope.agent:
        if "watching" in buckets and scope.pages:
            yield Source("holder", named, held, _OF_HIS_PAGES)
        return
    if "mine" in buckets and scope.pages:
        yield Source("holder", named, held, _OF_HIS_PAGES)
    if "assigned" in buckets:
        yield Source("holder", named, held, _OF_OTHERS)


def _of_buckets(scope: Scope, filters: Filters) -> Iterator[Source]:
    held, own = _wanted(filters, HELD), (scope.agent,) if scope.agent else ()
    match filters.bucket:
        case "all":
            yield _of_pages(scope, filters, CARES, _OF_HIS_PAGES)
        case "unclaimed":
            yield _of_pages(scope, filters, UNHELD, _OF_HIS_PAGES)
        case "watching":
            yield _of_pages(scope, filters, HELD, _WATCHED)
        case "mine" if scope.pages:
            yield Source("holder", own, held, _OF_HIS_PAGES)
    if filters.bucket in ("all", "assigned"):
        yield Source("holder", own, held, _OF_OTHERS)
    if filters.bucket in ("all", "unclaimed") and _wanted(filters, UNHELD):
        yield Source("audience", _of_others(scope), (), _OFFERED)


def _of_pages(scope: Scope, filters: Filters, cares: tuple[CareStatus, ...], condition: str) -> Source:
    pages = tuple(sorted(page for page in scope.pages if takes_page(filters, page)))
    if scope.is_everywhere and len(pages) == len(scope.pages) > 0:
        return Source(None, (), _wanted(filters, cares), condition)
    return Source("page_id", pages, _wanted(filters, cares), condition)


def _of_others(scope: Scope) -> tuple[str, ...]:
    """The audiences to whom conversations of other pages may be offered."""
    if scope.desk_pages <= scope.pages:
        return ()
    return tuple(sorted(one for one in scope.audiences if one.partition(":")[2] not in scope.pages))


def _wanted(filters: Filters, cares: tuple[CareStatus, ...]) -> tuple[CareStatus, ...]:
    return tuple(care for care in cares if not filters.care or care in filters.care)
