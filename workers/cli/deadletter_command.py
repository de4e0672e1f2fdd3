"""`tongdai deadletter`: what could not be understood, why, and how it gets its second chance."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from config.printable import printable
from schemas.deadletter import Reason
from workers.cli.consent import ask
from workers.cli.dead_letter import Letter, LetterId, Summary
from workers.cli.dead_letters import read_letter, read_newest
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table
from workers.cli.printable import readable, shortened
from workers.cli.replay import Mended, Replay, Replayed, prepare, read_headers, replay
from workers.cli.start import start_tool

app = command_app()

DETAIL_CHARS_MAX = 100
LIST_MAX = 10_000

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As `list` shows it: 3-1207.", show_default=False)
]


@app.command("list")
def list_letters(
    reason: Annotated[Reason | None, typer.Option(help="Only of this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIST_MAX, help="How many.")] = 50,
    json: JsonOption = False,
) -> None:
    """List dead letters, the newest first: reason, where each came from, how long ago."""
    found = asyncio.run(read_newest(start_tool(), limit, reason))
    if json:
        print_json([_as_json(summary) for summary in found])
        return
    now_ms = time.time() * 1000
    print_table(("id", "reason", "from", "age", "detail"), [_row(summary, now_ms) for summary in found])


@app.command()
def show(id_: IdArgument, json: JsonOption = False) -> None:
    """Print one dead letter: its headers, key and value as they came, customers' words included."""
    letter = asyncio.run(read_letter(start_tool(), LetterId.parse(id_)))
    if json:
        print_json(_as_json(letter.summary) | _content(letter))
        return
    for name, content in letter.headers:
        typer.echo(f"{printable(name)}: {readable(content)}")
    typer.echo(f"key: {'' if letter.key is None else readable(letter.key)}\n")
    typer.echo(readable(letter.value, lines=True))


@app.command("replay")
def replay_letter(
    id_: IdArgument,
    value: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="A file with the mended value."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The mended key, channel:account:user or workspace:desk.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A mended header, as ce_type=…; may be repeated."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Append one dead letter again to its topic, marked, with its first time in a header.

    May be repeated: what was replayed before is found on the topic and not appended again.
    """
    mended = Mended(value.read_bytes() if value else None, key, read_headers(header or ()))
    settings = start_tool()
    letter = asyncio.run(read_letter(settings, LetterId.parse(id_)))
    prepared = prepare(letter, mended)
    _confirm(letter.summary, prepared, yes=yes, json=json)
    done = asyncio.run(replay(settings, prepared))
    if json:
        print_json(done)
    else:
        typer.echo(_told(done))


def _confirm(summary: Summary, prepared: Replay, *, yes: bool, json: bool) -> None:
    letter = f"{summary.id}: {summary.reason}, {shortened(summary.detail, DETAIL_CHARS_MAX)}"
    question = f"{letter}\nAppend {len(prepared.value)} bytes to {prepared.topic.name}?"
    ask(question, "say --yes to append it, or look first: deadletter show", yes=yes, json=json)


def _told(done: Replayed) -> str:
    where = f"{done.topic} partition {done.partition} offset {done.offset}"
    if done.earlier:
        return f"{done.id} was replayed before, it is at {where}: nothing appended"
    return f"{done.id} appended to {where}"


def _as_json(summary: Summary) -> dict[str, Any]:
    return asdict(summary)


def _content(letter: Letter) -> dict[str, Any]:
    """Key, value and headers as text where they are UTF-8, else in base64 under `<name>_base64`."""
    headers = [_text_or_base64("value", content) | {"name": name} for name, content in letter.headers]
    key = {"key": None} if letter.key is None else _text_or_base64("key", letter.key)
    return {**key, **_text_or_base64("value", letter.value), "headers": headers}


def _text_or_base64(name: str, content: bytes) -> dict[str, str]:
    try:
        return {name: content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(content).decode()}


def _row(summary: Summary, now_ms: float) -> tuple[str, ...]:
    return (
        summary.id,
        shortened(summary.reason, DETAIL_CHARS_MAX),
        shortened(summary.origin, DETAIL_CHARS_MAX),
        age((now_ms - summary.deadlettered_at_ms) / 1000),
        shortened(summary.detail, DETAIL_CHARS_MAX),
    )


def age(seconds: float) -> str:
    """Seconds in the largest unit that has at least two of them: `90 s`, `2 min`, `47 h`, `3 d`."""
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{max(0, int(seconds))} s"
