"""What the server does for a question: every statement that was asked, explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

Node = dict[str, Any]
Statement = tuple[str, tuple[object, ...]]

EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)"


class Watched:
    """A connection that remembers what it was asked."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401  an asyncpg connection
        self._connection = connection
        self.statements: list[Statement] = []

    async def execute(self, statement: str) -> None:
        """See asyncpg. A setting: nothing to explain."""
        await self._connection.execute(statement)

    async def fetch(self, statement: str, *values: object) -> Any:  # noqa: ANN401  as asyncpg has it
        """See asyncpg."""
        self.statements.append((statement, values))
        return await self._connection.fetch(statement, *values)

    async def fetchrow(self, statement: str, *values: object) -> Any:  # noqa: ANN401  as asyncpg has it
        """See asyncpg."""
        self.statements.append((statement, values))
        return await self._connection.fetchrow(statement, *values)


@dataclass(frozen=True)
class Work:
    """Of all statements of one question. `rows_read`: what scans found, whether it was wanted or not."""

    statements: int
    server_ms: float
    """Planned and executed."""
    rows_read: int
    rows_sorted: int
    """The most that one sort was given."""
    blocks: int
    scanned: frozenset[str]
    """Tables that were read from end to end."""
    indexes: frozenset[str]


async def explain(connection: Any, statements: list[Statement]) -> Work:  # noqa: ANN401  an asyncpg connection
    """Run them again, and look."""
    plans = []
    for statement, values in statements:
        if statement.startswith("EXPLAIN"):
            continue
        text = await connection.fetchval(f"{EXPLAIN} {statement}", *values)
        plans.append(orjson.loads(text)[0])
    found = [node for plan in plans for node in nodes(plan["Plan"])]
    return Work(
        statements=len(plans),
        server_ms=sum(plan["Planning Time"] + plan["Execution Time"] for plan in plans),
        rows_read=round(sum(map(_rows_read, found))),
        rows_sorted=round(max((_rows_sorted(node) for node in found), default=0)),
        blocks=sum(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] for plan in plans),
        scanned=frozenset(node["Relation Name"] for node in found if _is_scan_of_all(node)),
        indexes=frozenset(node["Index Name"] for node in found if "Index Name" in node),
    )


def nodes(plan: Node) -> Iterator[Node]:
    """A plan's steps, of `EXPLAIN (FORMAT JSON)`, from its root on."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def _is_scan_of_all(node: Node) -> bool:
    return bool(node["Node Type"] == "Seq Scan" and node["Actual Loops"] > 0)


def _rows_read(node: Node) -> float:
    """Rows of a table or index that were looked at."""
    if "Relation Name" not in node and node["Node Type"] != "Bitmap Index Scan":
        return 0
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


def _rows_sorted(node: Node) -> float:
    if node["Node Type"] != "Sort":  # an incremental one sorts those of one minute
        return 0
    child = node["Plans"][0]
    return float(child["Actual Rows"])
