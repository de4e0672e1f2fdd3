"""What a message costs among many stored conversations, as rows for a terminal and for a page."""

from __future__ import annotations

from rich.table import Table

from bench.columns import microseconds, table_of
from bench.stored import ASKED, AtSize, Stored

COST_HEAD = ("stored conversations", "own CPU, µs a message", "Postgres, µs a message", "messages/s")


def cost_rows(result: Stored) -> list[tuple[str, ...]]:
    """One line for each number of stored conversations."""
    return [
        (
            f"{one.conversations:,}",
            f"{one.run.cpu_us_per_message:,.0f}",
            microseconds(one.run.us_per_message["postgres"]),
            f"{one.run.messages_per_s:,.0f}",
        )
        for one in result.found
    ]


def lookup_head(result: Stored) -> tuple[str, ...]:
    """The numbers of stored conversations, as columns."""
    return ("", *(f"{one.conversations:,}" for one in result.found))


def lookup_rows(result: Stored) -> list[tuple[str, ...]]:
    """Blocks that finding one conversation reads, by what is looked for."""
    names = result.found[0].lookups
    return [(name, *(_blocks(one, name) for one in result.found)) for name in names]


def size_rows(result: Stored) -> list[tuple[str, ...]]:
    """MiB of rows and of indexes, by table."""
    tables = [size.table for size in result.found[0].sizes]
    return [(table, *(_size(one, number) for one in result.found)) for number, table in enumerate(tables)]


def tables(result: Stored) -> tuple[Table, Table, Table]:
    """Cost; blocks a look-up; sizes."""
    return (
        table_of("A message among stored conversations", COST_HEAD, cost_rows(result)),
        table_of("Blocks read to find one of them", lookup_head(result), lookup_rows(result)),
        table_of("Rows and indexes, MiB", lookup_head(result), size_rows(result)),
    )


def _blocks(one: AtSize, name: str) -> str:
    work = one.lookups[name]
    scanned = f", reads all of {', '.join(sorted(work.scanned))}" if work.scanned else ""
    return f"{work.blocks / ASKED:.1f}{scanned}"


def _size(one: AtSize, number: int) -> str:
    size = one.sizes[number]
    return f"{size.rows_mib:,.0f} + {size.indexes_mib:,.0f}"
