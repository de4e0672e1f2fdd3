"""`tongdai lag`: how far the workers are behind."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from rich.console import Console

from config.settings import Settings
from schemas.base import rfc3339
from workers.cli.group import command_app
from workers.cli.lags import TopicLag, read_lags
from workers.cli.output import JsonOption, print_json, print_table
from workers.cli.start import start_tool
from workers.cli.stopping import run_until_stopped

app = command_app()


@app.command()
def lag(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again and again, until Ctrl-C.")] = False,
    interval_s: Annotated[
        float, typer.Option("--interval", min=0.1, max=3600, help="Seconds between two looks of --watch.")
    ] = 2,
    json: JsonOption = False,
) -> None:
    """Show how many committed records each group has not worked through: per topic, in sum and at most.

    Held back is what stands behind a transaction that has not ended; if it stays so, nobody ends it.

    With --watch and --json each look is one line.
    """
    settings = start_tool()
    if watch:
        asyncio.run(run_until_stopped(_watch(settings, interval_s, as_json=json)))
        return
    lags = asyncio.run(read_lags(settings))
    if json:
        print_json([asdict(each) for each in lags])
    else:
        _print(lags)


async def _watch(settings: Settings, interval_s: float, *, as_json: bool) -> None:
    while True:
        lags = await read_lags(settings)
        at = rfc3339(datetime.now(UTC))
        if as_json:
            typer.echo(orjson.dumps({"at": at, "lags": [asdict(each) for each in lags]}).decode())
        else:
            Console().clear()
            typer.echo(at)
            _print(lags)
        await asyncio.sleep(interval_s)


def _print(lags: list[TopicLag]) -> None:
    columns = ("group", "topic", "partitions", "lag", "at most", "held back")
    rows = [
        (
            each.group,
            each.topic,
            *map(str, (each.partitions, each.lag_sum, each.lag_max, each.held_back_sum)),
        )
        for each in lags
    ]
    print_table(columns, rows)
