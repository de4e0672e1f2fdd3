"""`tongdai demo`: everything at work, with invented customers."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from config.errors import TongdaiError, UsageError
from config.settings import Settings
from workers.cli.consent import ask
from workers.cli.group import command_app
from workers.cli.start import start_tool
from workers.local.backing import DATA_DIR, fetch_servers, uses_embedded
from workers.local.demo.demo import run_demo
from workers.local.demo.options import Options
from workers.local.demo.screen import Screen
from workers.local.demo.view import summary_lines

app = command_app()

AGENTS = 12
"""Of the sample workspace."""
_INTO_NAMED = (
    "The demo writes invented customers, and accounts whose password everybody knows, into the Kafka and "
    "Postgres that the settings name, and nothing takes them away. Go on?"
)


@app.command()
def demo(
    rate: Annotated[float, typer.Option(min=0.1, max=2_000, help="Messages a second.")] = 50,
    seconds: Annotated[
        float | None,
        typer.Option(min=1, max=86_400, help="Stop so long after agents have come; else at Ctrl-C."),
    ] = None,
    agents: Annotated[
        int, typer.Option(min=0, max=AGENTS, help="How many of the sample's agents are played; 0: none.")
    ] = AGENTS,
    report: Annotated[
        Path | None, typer.Option(help="Write what was counted as JSON.", dir_okay=False, writable=True)
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the embedded servers' data and start over.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of names, texts and chances.")] = 1,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Of the ingress.", show_default="8080 or a free one")
    ] = None,
    local: Annotated[
        bool,
        typer.Option("--local", help="Use embedded servers even when the settings name Kafka and Postgres."),
    ] = False,
    on_named_servers: Annotated[
        bool,
        typer.Option("--on-named-servers", help="Write into the Kafka and Postgres that the settings name."),
    ] = False,
) -> None:
    """Run everything on this machine and watch it: a sample workspace whose invented customers write.

    Messenger and Zalo are played over HTTP, with signed webhooks, retries, duplicates and odd events; agents
    sign in at the gateway, claim, answer, transfer, refuse, go home and come back. Ctrl-C stops in order and
    sums up; the next start goes on with the same data. Exits with 1 when anything was lost, doubled, out of
    order or unevenly split, when a command has not exactly one outcome, or a race not exactly one winner.
    """
    settings = start_tool()
    embedded = uses_embedded(settings, local=local)
    options = Options(
        data_dir=DATA_DIR,
        embedded=embedded,
        rate_per_s=rate,
        seconds=seconds,
        agents=agents,
        seed=seed,
        port=port,
        fresh=fresh,
    )
    _check(settings, options, report)
    ask(_INTO_NAMED, "say --on-named-servers, or --local", yes=embedded or on_named_servers)
    _demo(settings, options, report)


def _check(settings: Settings, options: Options, file: Path | None) -> None:
    if options.agents and settings.profile != "local":
        raise UsageError("The demo's agents have accounts with a known password: say --agents 0 here.")
    if options.fresh and not options.embedded:
        raise UsageError("--fresh deletes embedded servers' data; yours is not touched: say --local with it.")
    if file is not None and not file.absolute().parent.is_dir():
        raise UsageError(f"--report {file}: there is no folder {file.parent}")


def _demo(settings: Settings, options: Options, file: Path | None) -> None:
    # A server that is just starting or stopping is no news to the person who watches.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if options.embedded:
        fetch_servers()
    screen = Screen()
    report = asyncio.run(run_demo(settings, options, screen))
    if report is None:
        return
    for line in summary_lines(asdict(report)):
        screen.say(line)
    if file is not None:
        file.write_bytes(report.as_json())
    if report.failures:
        raise TongdaiError(f"This should not be: {', '.join(report.failures)}.")
