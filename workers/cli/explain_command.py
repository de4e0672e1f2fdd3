"""`tongdai explain`: why a conversation is where it is, from the events of its chain."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Annotated, Any

import orjson
import typer

from config.errors import TongdaiError, UsageError
from config.printable import printable
from config.settings import Settings
from config.topics import ASSIGNMENTS
from workers.channels.topic_reader import answering, open_reader
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json
from workers.cli.start import start_tool

RECORDS_MAX = 5_000_000

app = command_app()


@app.command()
def explain(
    conversation: Annotated[str, typer.Argument(help="Its key: channel:account:user.", show_default=False)],
    last: Annotated[int, typer.Option(min=1, max=1_000, help="How many of its last events.")] = 20,
    json: JsonOption = False,
) -> None:
    """Tell in words why a conversation is where it is: its last decisions, the oldest first.

    Reads the partition of its key in assignments from the beginning, where every event says why.
    """
    parts = conversation.split(":", 2)
    if len(parts) < 3 or not all(parts):
        raise UsageError(f"{conversation!r} is no conversation's key, which is channel:account:user")
    events = asyncio.run(read_chain(start_tool(), conversation, last))
    if not events:
        raise TongdaiError(f"no event is known of {conversation}")
    if json:
        print_json(events)
        return
    for event in events:
        typer.echo(printable(f"{event['seq']:>5}  {event['at']}  {sentence(event)}"))
    typer.echo(printable(_stands(events[-1])))


async def read_chain(settings: Settings, key: str, last: int) -> list[dict[str, Any]]:
    """The last events of a conversation. Raises DependencyError, TongdaiError."""
    topic = ASSIGNMENTS.full_name(settings.kafka.topic_prefix)
    found: deque[dict[str, Any]] = deque(maxlen=last)
    async with (
        answering(settings.kafka, settings.runtime.kafka_deadline_s),
        open_reader(settings, [topic]) as reader,
    ):
        mine = reader.partition_of(key.encode())
        begin, end = (await reader.begins())[mine], (await reader.ends())[mine]
        async for record in reader.read({mine: max(begin, end - RECORDS_MAX)}, {mine: end}):
            if record.key == key.encode():
                event = orjson.loads(record.value)
                if "seq" in event:
                    what = dict(record.headers)["ce_type"].decode().split(".")[-2]
                    found.append({"what": what, **event})
    return list(found)


def sentence(event: dict[str, Any]) -> str:
    """One event in words."""
    what = str(event["what"]).replace("_", " ")
    if event["what"] == "assigned":
        return f"assigned to {event['holder']}{_why(event['why'])}"
    details = {name: event.get(name) for name in ("rule", "rule_version", "audience", "how", "by", "limit")}
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in details.items() if value)
    passed = _passed_over(event.get("passed_over") or {})
    return what + (f": {told}" if told else "") + passed


def _why(why: dict[str, Any]) -> str:
    told = f" by {why['method']}"
    if why.get("rule"):
        told += f" of the rule {why['rule']} (version {why['rule_version']})"
    if why.get("by"):
        told += f", decided by {why['by']}"
    if why.get("cursor_after"):
        told += f"; the turn went from {why.get('cursor_before') or 'the first'} to {why['cursor_after']}"
    if why.get("eligible"):
        told += f"; {why['eligible']} could have been chosen"
    if why.get("exceeds"):
        told += f"; beyond {', '.join(why['exceeds'])}"
    return told + _passed_over(why.get("passed_over") or {})


def _passed_over(counts: dict[str, int]) -> str:
    told = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in counts.items())
    return f"; passed over: {told}" if told else ""


def _stands(event: dict[str, Any]) -> str:
    who = f", {event['holder']} has it" if event["holder"] else ""
    return f"Now: {event['standing']}{who}, care status {event['care']}, round {event['round']}."
