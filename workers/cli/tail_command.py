"""`tongdai tail`: follows assignments, messages or the roster while they happen."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from config.settings import Settings
from config.topics import ASSIGNMENTS, MESSAGES, ROSTER
from workers.channels.topic_reader import open_reader
from workers.cli.group import command_app
from workers.cli.output import JsonOption
from workers.cli.start import start_tool
from workers.cli.stopping import run_until_stopped
from workers.cli.tail_line import Filter, see

app = command_app()


class Followed(StrEnum):
    """The topics that can be followed."""

    ASSIGNMENTS = "assignments"
    MESSAGES = "messages"
    ROSTER = "roster"


TOPICS = {Followed.ASSIGNMENTS: ASSIGNMENTS, Followed.MESSAGES: MESSAGES, Followed.ROSTER: ROSTER}


@app.command()
def tail(
    topic: Annotated[Followed, typer.Argument(help="What to follow.", show_default=False)],
    workspace: Annotated[str | None, typer.Option(help="Only of this workspace.")] = None,
    page: Annotated[str | None, typer.Option(help="Only of this page: channel:account.")] = None,
    agent: Annotated[
        str | None, typer.Option(help="Only where this agent is holder, former holder, sender or changed.")
    ] = None,
    conversation: Annotated[
        str | None, typer.Option(help="Only this conversation: its id, or channel:account:user.")
    ] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with what is there already.")
    ] = False,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many lines.")] = None,
    json: JsonOption = False,
) -> None:
    """Follow a topic, one line per record, as readers of committed records see it. Ctrl-C ends it.

    With --json each line is one JSON object.
    """
    wanted = Filter(workspace, page, agent, conversation)
    following = _follow(start_tool(), topic, wanted, from_beginning=from_beginning, count=count, as_json=json)
    asyncio.run(run_until_stopped(following))


async def _follow(
    settings: Settings,
    topic: Followed,
    wanted: Filter,
    *,
    from_beginning: bool,
    count: int | None,
    as_json: bool,
) -> None:
    name = TOPICS[topic].full_name(settings.kafka.topic_prefix)
    shown = 0
    async with open_reader(settings, [name]) as reader:
        begins = await (reader.begins() if from_beginning else reader.ends())
        async for record in reader.follow(begins):
            seen = see(record)
            if seen is None:
                typer.echo(f"partition {record.partition} offset {record.offset}: no JSON object", err=True)
                continue
            if not wanted.wants(seen.value):
                continue
            typer.echo(seen.json() if as_json else seen.text())
            shown += 1
            if shown == count:
                return
