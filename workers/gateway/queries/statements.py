"""The statements that find a list's conversations, put together here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from workers.gateway.queries import streams
from workers.gateway.queries.cursor import Cursor
from workers.gateway.queries.filters import Filters, conditions, looks_further, window
from workers.gateway.queries.parameters import Parameters
from workers.gateway.queries.scope import Scope
from workers.gateway.queries.sources import CARES, Source, sources_of
from workers.gateway.queries.streams import ORDER, ROW, Streams

HEADS_MAX = 3_000
"""Of so many streams the newest are looked at; of more, all of the workspace is walked."""

Statement = tuple[str, list[object]]


class Wanted(NamedTuple):
    """Part of a list: at most `limit` of what comes behind `after`."""

    scope: Scope
    filters: Filters
    after: Cursor | None
    limit: int
    online: frozenset[UUID] = frozenset()
    """Whose visitors are there, if the filters ask."""


def stretch(wanted: Wanted, walked: int) -> Statement | None:
    """Those that are wanted among the next `walked` of the list's sources; none: it has no sources.

    When they are fewer than the limit, the last of the `walked` follows, which is not `wanted`; it does not,
    when there are fewer than `walked`.
    """
    return _Builder(wanted).stretch(walked)


def amount(wanted: Wanted, walked: int) -> Statement | None:
    """How many of any `walked` of the list's sources are wanted, and how many were walked."""
    return _Builder(wanted).amount(walked)


def among(wanted: Wanted, ids: Sequence[UUID]) -> Statement | None:
    """Those that are wanted among named ones."""
    return _Builder(wanted).among(ids)


class _Builder:
    """One statement of a list, with its values."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._parameters = parameters = Parameters()
        self._sources = sources_of(wanted.scope, wanted.filters)
        self._walked = _walked(self._sources, wanted.filters)
        self._workspace = parameters.text(wanted.scope.workspace)
        self._window = list(window(wanted.filters, wanted.after, parameters))
        self._streams = Streams(self._workspace, self._window, parameters)

    def stretch(self, walked: int) -> Statement | None:
        # What is walked is kept in its order, and no further than somebody asks.
        limit = self._limit()
        return self._statement(
            f"WITH walked AS MATERIALIZED ({self._merged(walked)}), found AS MATERIALIZED ("  # noqa: S608
            f"SELECT n.conversation_id, n.last_at FROM walked AS n WHERE {self._where(self._of_each())}"
            f" LIMIT {limit}), last AS (SELECT conversation_id, last_at FROM walked"
            f" WHERE (SELECT count(*) FROM found) < {limit} OFFSET {self._parameters.number(walked - 1)})"
            " SELECT *, true AS wanted FROM found UNION ALL SELECT *, false FROM last"
        )

    def amount(self, walked: int) -> Statement | None:
        arms = (self._streams.any(number, one, walked) for number, one in enumerate(self._walked))
        every = f"SELECT * FROM ({_all(arms)}) AS n LIMIT {self._parameters.number(walked)}"  # noqa: S608
        where = self._where(self._of_each())
        return self._statement(f"SELECT count(*) FILTER (WHERE {where}), count(*) FROM ({every}) AS n")  # noqa: S608

    def among(self, ids: Sequence[UUID]) -> Statement | None:
        said = (self._where(map(self._member, self._sources)), *self._window)
        return self._statement(
            f"SELECT n.conversation_id, n.last_at FROM unnest({self._parameters.uuids(ids)}) AS named (id)"  # noqa: S608
            f" CROSS JOIN LATERAL (SELECT {ROW} FROM notifier_conversation n"
            f" WHERE n.workspace_id = {self._workspace} AND n.conversation_id = named.id OFFSET 0) AS n"
            f" WHERE {' AND '.join(said)} ORDER BY {ORDER} LIMIT {self._limit()}"
        )

    def _statement(self, text: str) -> Statement | None:
        return (text, self._parameters.values) if self._sources else None

    def _limit(self) -> str:
        return self._parameters.number(self._wanted.limit)

    def _merged(self, walked: int) -> str:
        """The next of all sources, in order."""
        arms = (
            arm
            for number, one in enumerate(self._walked)
            for arm in self._streams.newest(number, one, walked)
        )
        most = self._parameters.number(walked)
        return f"SELECT * FROM ({_all(arms)}) AS every ORDER BY {ORDER} LIMIT {most}"  # noqa: S608

    def _where(self, of_sources: Iterator[str]) -> str:
        """What must hold of a row: it is of a source, and as the filters want it."""
        of_source = " OR ".join(f"({said})" for said in of_sources)
        said = [*conditions(self._wanted.filters, self._wanted.scope, self._parameters)]
        if self._wanted.filters.online is not None:
            is_online = f"n.conversation_id = ANY ({self._parameters.uuids([*self._wanted.online])})"
            said.append(is_online if self._wanted.filters.online else f"NOT {is_online}")
        return " AND ".join((f"({of_source})", "n.seq > 0", *said))

    def _of_each(self) -> Iterator[str]:
        """Of rows that were walked, which say of which source they are."""
        if self._walked == self._sources:
            return (f"n.source = {number} AND {self._of(one)}" for number, one in enumerate(self._sources))
        return map(self._member, self._sources)

    def _of(self, source: Source) -> str:
        """The source's own condition."""
        scope = self._wanted.scope
        values = {"pages": scope.pages, "desk_pages": scope.desk_pages, "agent": scope.agent}
        named = {name: value for name, value in values.items() if f"{{{name}}}" in source.condition}
        return source.condition.format(**{name: self._parameters.of(value) for name, value in named.items()})

    def _member(self, source: Source) -> str:
        """All that makes a row one of the source's."""
        said = [self._of(source)]
        if source.column:
            said.append(f"n.{source.column} = ANY ({self._parameters.texts(source.keys)})")
        if source.cares:
            said.append(f"n.care = ANY ({self._parameters.texts(source.cares)})")
        return " AND ".join(said)


def _all(selects: Iterator[str]) -> str:
    return " UNION ALL ".join(f"({select})" for select in selects)


def _walked(sources: Sequence[Source], filters: Filters) -> list[Source]:
    """What is walked instead: all of the workspace, alone, where a source is that or has too many pages.

    Alone, for beside it another source's rows would come twice, and a part could end between the two.
    """
    if not any(one.column is None or _is_wide(one, filters) for one in sources):
        return [*sources]
    cares = (
        CARES if any(not one.cares for one in sources) else {care for one in sources for care in one.cares}
    )
    return [Source(None, (), tuple(care for care in CARES if care in cares), "")]


def _is_wide(source: Source, filters: Filters) -> bool:
    """Whether it has so many pages that their streams are not worth their while."""
    is_many = source.column == "page_id" and source.streams > streams.MERGED_MAX
    return is_many and (looks_further(filters) or source.streams > HEADS_MAX)
