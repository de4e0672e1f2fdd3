"""The streams of a source: stretches of an index, merged in their order.

Few are merged as they are read, so that no more is read than is wanted. Of many, one row of each is looked at
first, the newest or one a little behind it: where so many streams have so many rows each that these are as
many as are wanted, nothing older can be among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from workers.gateway.queries.parameters import Parameters
from workers.gateway.queries.sources import Source

MERGED_MAX = 24
"""So many streams of a source are merged: to plan more takes longer than to look at the newest of each."""

ROW = ", ".join(
    f"n.{column}"
    for column in (
        *("workspace_id", "conversation_id", "page_id", "holder", "audience", "care", "seq"),
        *("in_session", "last_minute", "last_at"),
    )
)
ORDER = "last_minute DESC, last_at DESC, conversation_id DESC"


class Streams:
    """SQL of sources, for one statement. Rows say of the how manieth source they are: `source`."""

    def __init__(self, workspace: str, window: list[str], parameters: Parameters) -> None:
        self._workspace = workspace
        self._window = window
        self._parameters = parameters

    def newest(self, number: int, source: Source, walked: int) -> Iterator[str]:
        """Selects that together, merged, have the next `walked` of a source."""
        most = self._parameters.number(walked)
        if source.streams > MERGED_MAX:
            yield self._newest_of_many(number, source, walked, most)
            return
        for key, care in product(source.keys or (None,), source.cares or (None,)):
            places = (None if value is None else self._parameters.text(value) for value in (key, care))
            yield f"{self._one(number, source, *places)} ORDER BY {ORDER} LIMIT {most}"

    def any(self, number: int, source: Source, walked: int) -> str:
        """A select of any `walked` of each stream."""
        streams, key, care = self._named(source)
        one = f"{self._one(number, source, key, care)} ORDER BY last_minute DESC"
        limited = f"{one} LIMIT {self._parameters.number(walked)}"
        return f"SELECT one.* FROM {streams} CROSS JOIN LATERAL ({limited}) AS one"  # noqa: S608

    def _newest_of_many(self, number: int, source: Source, walked: int, most: str) -> str:
        streams, key, care = self._named(source)
        depth = -(-2 * walked // source.streams)  # so that half of the streams are enough
        head = f"{self._one(number, source, key, care, 'last_minute')} ORDER BY last_minute DESC"
        one = self._one(number, source, "heads.key", care and "heads.care")
        return (
            f"WITH heads AS MATERIALIZED (SELECT {key or 'NULL'} AS key, {care or 'NULL'} AS care, ({head}"  # noqa: S608
            f" OFFSET {depth - 1} LIMIT 1) AS head FROM {streams}), bound AS MATERIALIZED (SELECT coalesce(("
            f"SELECT head FROM heads WHERE head IS NOT NULL ORDER BY head DESC"
            f" OFFSET {-(-walked // depth) - 1} LIMIT 1), '-infinity') AS minute)"
            f" SELECT one.* FROM bound CROSS JOIN heads CROSS JOIN LATERAL"
            f" ({one} AND n.last_minute >= bound.minute ORDER BY {ORDER} LIMIT {most}) AS one"
            f" ORDER BY {ORDER} LIMIT {most}"
        )

    def _named(self, source: Source) -> tuple[str, str | None, str | None]:
        """A source's streams as rows, and what key and care are called there."""
        parts = []
        if source.column:
            parts.append(f"unnest({self._parameters.texts(source.keys)}) AS keys (key)")
        if source.cares:
            parts.append(f"unnest({self._parameters.texts(source.cares)}) AS cares (care)")
        key, care = source.column and "keys.key", "cares.care" if source.cares else None
        return " CROSS JOIN ".join(parts), key, care

    def _one(
        self, number: int, source: Source, key: str | None, care: str | None, what: str | None = None
    ) -> str:
        if source.column is None:
            said = [f"n.workspace_id || '/' || n.care = {self._workspace} || '/' || {care}"]
        else:
            said = [f"n.{source.column} = {key}", f"n.workspace_id = {self._workspace}"]
            said += [] if care is None else [f"n.care = {care}"]
        where = " AND ".join((*said, *self._window))
        return f"SELECT {what or f'{number} AS source, {ROW}'} FROM notifier_conversation n WHERE {where}"  # noqa: S608
