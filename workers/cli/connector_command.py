"""`tongdai connector`: whether a foreign connector publishes as it should."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from config.errors import ExitCode, UsageError
from config.settings import Settings
from config.topics import INBOUND
from workers.channels.topic_reader import open_reader
from workers.cli import connector_answers
from workers.cli.connector_fates import follow
from workers.cli.connector_records import Wanted, gather, read_file
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table
from workers.cli.printable import shortened
from workers.cli.start import start_tool
from workers.conformance.carrying import Carrying
from workers.conformance.fate import Fate
from workers.conformance.kit import Followed, check
from workers.conformance.seen import Seen
from workers.conformance.verdict import Verdict

RECORDS_MAX = 10_000
FATES_SHOWN = 50
DETAIL_CHARS_MAX = 200
OF_A_FILE = "let the connector publish to a Kafka with workers, and check without a file"
WORDS = {"passed": "passed", "failed": "FAILED", "not_tried": "not tried"}
UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

app = command_app()


@app.callback()
def _group() -> None:
    """Make each a command of a group."""


@app.command(name="check")
def check_(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="Records, one JSON object a line."),
    ] = None,
    page: Annotated[str | None, typer.Option(help="Only records of this page: channel:account.")] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Records since then, as 90s, 10m, 2h, 1d or 2026-11-22T08:00:00+07:00."),
    ] = None,
    for_s: Annotated[float, typer.Option("--for", min=1, max=3_600, help="Else: for so many seconds.")] = 60,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, max=600, help="Seconds for the workers to take them.")
    ] = 30,
    limit: Annotated[int, typer.Option(min=1, max=RECORDS_MAX, help="Records, at most.")] = 1_000,
    json: JsonOption = False,
) -> None:
    """Try what a connector publishes against every rule of docs/connectors.md, and follow each record.

    Listens from now on, or reads what came since a moment, or a file. Fails when a rule is broken, or when
    nothing came.
    """
    settings = start_tool()
    if file is not None:
        records, followed = read_file(file, page, limit), OF_A_FILE
        partitions = settings.kafka.conversation_partitions
        _report(records, check(records, partitions, followed), (), json=json)
    else:
        wanted = Wanted(page, limit, None if since is None else _since_ms(since), for_s)
        steps = None if since is not None or json else _steps(for_s)
        records, partitions, found, carrying = asyncio.run(_watch(settings, wanted, wait_s, steps))
        fates = found.fates if isinstance(found, Followed) else ()
        _report(records, check(records, partitions, found, carrying), fates, json=json)


async def _watch(
    settings: Settings, wanted: Wanted, wait_s: float, steps: str | None
) -> tuple[list[Seen], int, Followed | str, Carrying | None]:
    """The records, how many partitions inbound has, what became of them, and how answers are carried.

    `steps` are told as soon as somebody listens.
    """
    async with open_reader(settings, connector_answers.topics(settings)) as out:
        begins = await (out.ends() if wanted.since_ms is None else out.since(wanted.since_ms))
        async with open_reader(settings, [INBOUND.full_name(settings.kafka.topic_prefix)]) as reader:
            records, partitions = await gather(reader, wanted, lambda: _tell(steps)), len(reader.partitions)
        followed = await follow(settings, records, wait_s)
        carrying = await connector_answers.gather(out, begins, wanted.page, wanted.limit, wait_s)
    return records, partitions, followed, carrying


def _tell(steps: str | None) -> None:
    if steps is not None:
        typer.echo(steps, err=True)


def _report(records: Sequence[Seen], verdicts: list[Verdict], fates: Sequence[Fate], *, json: bool) -> None:
    """Print it, and end with the exit code."""
    if json:
        told = [each._asdict() | {"faults": [fault._asdict() for fault in each.faults]} for each in verdicts]
        print_json({"records": len(records), "rules": told, "fates": [fate._asdict() for fate in fates]})
    else:
        pages = sorted({each.page for each in records if each.page is not None})
        typer.echo(f"{len(records)} records{' of ' + shortened(', '.join(pages), 300) if pages else ''}")
        print_table(
            ("", "rule", "what it says", "records", "example, and what to do"), [*map(_row, verdicts)]
        )
        if fates:
            rows = [(each.place, each.key, each.id, each.text) for each in fates[:FATES_SHOWN]]
            cut = [tuple(shortened(cell, DETAIL_CHARS_MAX) for cell in row) for row in rows]
            print_table(("record", "customer", "message", "what became of it"), cut)
    if not records or any(each.state == "failed" for each in verdicts):
        raise typer.Exit(ExitCode.FAILED)


def _row(verdict: Verdict) -> tuple[str, ...]:
    told = verdict.advice
    if verdict.faults:
        place, what = verdict.faults[0]
        told = f"{place} {shortened(what, DETAIL_CHARS_MAX)}; {told}"
    count = f"{verdict.broken} of {verdict.tried}" if verdict.broken else str(verdict.tried)
    return WORDS[verdict.state], verdict.rule, verdict.says, count, told


def _since_ms(text: str) -> int:
    """A moment, as milliseconds since 1970. Raises `UsageError`."""
    ago = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if ago is not None:
        return round((time.time() - int(ago[1]) * UNITS_S[ago[2]]) * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError(
            f"--since {text!r}: expected 90s, 10m, 2h, 1d or a time as 2026-11-22T08:00:00+07:00"
        )
    return round(at.timestamp() * 1000)


def _steps(for_s: float) -> str:
    """What the connector is to do meanwhile, so that every rule is tried."""
    return (
        f"Listening for {for_s:g} s. Now let the connector\n"
        "  1. send two messages of one customer, one after the other,\n"
        "  2. send the second of them once more, as when no acknowledgement had come,\n"
        "  3. send messages of a few other customers,\n"
        "  4. when it carries answers itself, tell how one fares that an agent has given meanwhile."
    )
