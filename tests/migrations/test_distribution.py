"""What docs/scaling.md says of distributing each table by workspace, held to what migrations make."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

SCALING = Path(__file__).parents[2] / "docs" / "scaling.md"
# Months of `message` are the table's own parts; alembic's version is not ours.
TABLES = """
SELECT t.relname AS name,
    EXISTS (SELECT FROM pg_attribute WHERE attrelid = t.oid AND attname = 'workspace_id') AS of_workspace
FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = 'public' AND t.relkind IN ('r', 'p') AND NOT t.relispartition
    AND t.relname <> 'alembic_version'
"""
UNIQUE = """
SELECT t.relname AS table_name, i.relname AS name,
    ARRAY(SELECT a.attname FROM unnest(x.indkey[:x.indnkeyatts - 1]) AS k (attnum)
          JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum) AS columns
FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = 'public' AND x.indisunique AND NOT t.relispartition AND t.relkind IN ('r', 'p')
"""
REFERENCES = """
SELECT conrelid::regclass::text || ' to ' || confrelid::regclass::text AS name,
    ARRAY(SELECT a.attname FROM unnest(conkey) AS k (attnum)
          JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.attnum) AS columns
FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
"""


class Standing(NamedTuple):
    """What the page says of the tables: how each could stand in a cluster."""

    distributed: frozenset[str]
    exceptions: frozenset[str]


@pytest.fixture
def written() -> Standing:
    """The rows of the page's table, by whether they say `distributed`."""
    section = SCALING.read_text(encoding="utf-8").split("## Citus", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (distributed|reference|local)[^|]*\| ([^|]+) \|", section, re.MULTILINE)
    named: dict[bool, list[str]] = {True: [], False: []}
    for standing, tables in rows:
        named[standing == "distributed"] += re.findall(r"`(\w+)`", tables)
    both = named[True] + named[False]
    assert len(both) == len(set(both)), "a table stands there twice"
    return Standing(frozenset(named[True]), frozenset(named[False]))


@pytest.mark.servers
async def test_every_table_stands_on_the_page_and_is_as_it_says(database: str, written: Standing) -> None:
    connection = await asyncpg.connect(database)
    try:
        tables = {row["name"]: row["of_workspace"] for row in await connection.fetch(TABLES)}
        unique = await connection.fetch(UNIQUE)
        references = await connection.fetch(REFERENCES)
    finally:
        await connection.close()
    assert set(tables) == written.distributed | written.exceptions, "a new table belongs on docs/scaling.md"
    lacking = {
        f"{row['table_name']}: {row['name']}"
        for row in unique
        if row["table_name"] in written.distributed and "workspace_id" not in row["columns"]
    }
    assert lacking == set(), "Citus refuses a unique index without the column by which a table is distributed"
    assert {row["table_name"] for row in unique} >= written.distributed, "rows of each can be told apart"
    assert [row["name"] for row in references if "workspace_id" not in row["columns"]] == []
    ready = {table for table, of_workspace in tables.items() if of_workspace} - {
        row["table_name"] for row in unique if "workspace_id" not in row["columns"]
    }
    assert ready == written.distributed, "what is ready is not called an exception"
