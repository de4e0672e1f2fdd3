"""What docs/performance.md has measured, for pages that calculate with it."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
MEASURED = (DOCS / "performance.md").read_text(encoding="utf-8")


def cells(table: str, row: str) -> list[str]:
    """A row of one of the tables that benchmarks write."""
    _, _, rest = MEASURED.partition(f"<!-- {table} -->")
    return row_of(rest, row)


def row_of(text: str, row: str) -> list[str]:
    """The first row of this name in a text."""
    lines = (line for line in text.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in next(lines).strip("|").split("|")]


def number(text: str) -> float:
    """A figure as tables have it."""
    return float(text.replace(",", ""))
