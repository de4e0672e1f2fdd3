"""What commands print: tables for people, JSON for scripts; both on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import orjson
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.printable import printable, printable_json
from schemas.base import rfc3339

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for scripts instead of text for people.")
]

FILE_WIDTH = 500
"""Columns where no terminal sets a limit: a line of a table must stay one line for grep."""


def print_json(value: object) -> None:
    """Print dataclasses, lists, dicts and plain values as indented JSON."""
    typer.echo(printable_json(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; nothing in it is read as markup or as a terminal's command, long cells are folded."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)


def time_text(at: datetime | None) -> str:
    """A time as it stands in a table; empty when there is none."""
    return "" if at is None else rfc3339(at)
