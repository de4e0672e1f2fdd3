"""How each benchmark of `tongdai bench` is run, and where its results go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import typer
import uvloop
from rich.console import Console

from config.settings import Settings
from workers.cli.checkout_only import part
from workers.cli.start import start_tool

Tables = Callable[[Any], Iterable[object]]
"""What is shown of a result."""


def run(
    name: str,
    plan: object,
    tables: Tables,
    report: Path | None = None,
    plot: Path | None = None,
    document: Path | None = None,
) -> Any:  # noqa: ANN401  a result of that benchmark
    """Measure by the module of this name, show it, and write it where it is wanted."""
    result = uvloop.run(part(f"bench.{name}").measure(_start(), plan, typer.echo))
    console = Console()
    for table in tables(result):
        console.print(table)
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_bytes(orjson.dumps(result.report(), option=orjson.OPT_INDENT_2) + b"\n")
    if plot is not None:
        part("bench.plot").PLOTS[name](result, plot)
    if document is not None:
        part("bench.document").DOCUMENTS[name](result, document)
    return result


def _start() -> Settings:
    """As every short command, without what a client logs while topics are a few milliseconds old."""
    settings = start_tool()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return settings
