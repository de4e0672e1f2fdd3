"""`tongdai whatif`: what a desk would have done under other rules."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from config.errors import TongdaiError, UsageError
from config.settings import Settings
from config.topics import COMMANDS
from schemas.ids import DEFAULT_DESK, desk_key
from workers.channels.topic_reader import TopicReader, answering, open_reader
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table
from workers.cli.start import start_tool
from workers.runtime.batch import Record
from workers.runtime.postgres import connected
from workers.whatif.comparison import LEFT_OUT, Comparison, as_json, rows
from workers.whatif.recording import Recording
from workers.whatif.whatif import WhatIf
from workers.workspace.loader import load_workspace
from workers.workspace.workspace import DeskRoster, Workspace

PROGRESS_EVERY = 20_000
ELSEWHERE = """
SELECT page_id, workspace_id || ':' || desk_id FROM page_registry
WHERE (workspace_id, desk_id) <> ($1, $2)
UNION ALL
SELECT agent_id, workspace_id || ':' || desk_id FROM agent_registry
WHERE workspace_id = $1 AND desk_id <> $2
"""

app = command_app()


@app.command()
def whatif(
    rules: Annotated[
        Path, typer.Option("--rules", help="The workspace as YAML, as it would be.", show_default=False)
    ],
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"],
            help="From when on the file holds, UTC unless it says otherwise. Default: from the beginning.",
        ),
    ] = None,
    desk: Annotated[str, typer.Option(help="Which desk of the workspace.")] = DEFAULT_DESK,
    json: JsonOption = False,
) -> None:
    """Live through a desk's recorded log again, under the rules of a workspace file, touching nothing.

    Everything that the file says of the desk holds from then on: rules, agents, departments, pages, policy.
    Waits, loads and fairness are told beside what happened. Exits with 1 when the desk would refuse the file.
    """
    workspace = load_workspace(rules)
    roster = _roster(workspace, desk)
    moment = since if since is None or since.tzinfo else since.replace(tzinfo=UTC)
    comparison = asyncio.run(compare(start_tool(), workspace.id, roster, moment))
    if json:
        print_json(as_json(comparison))
        return
    print_table(("", "happened", "under the file"), list(rows(comparison)))
    typer.echo("\n".join((f"{comparison.commands} commands.", *LEFT_OUT)))


async def compare(
    settings: Settings, workspace: str, roster: DeskRoster, since: datetime | None
) -> Comparison:
    """Read the desk's log, and live through it both ways. Raises DependencyError, TongdaiError."""
    elsewhere = await _elsewhere(settings, workspace, roster.id)
    both = WhatIf(workspace, roster, since, elsewhere)
    recording = Recording(workspace, roster.id)
    topic = COMMANDS.full_name(settings.kafka.topic_prefix)
    async with (
        answering(settings.kafka, settings.runtime.kafka_deadline_s),
        open_reader(settings, [topic]) as reader,
    ):
        async for record in _records(reader, desk_key(workspace, roster.id).encode()):
            if (recorded := recording.of(record)) is not None:
                both.take(recorded)
    if not both.commands:
        raise TongdaiError(f"nothing is recorded of the desk {roster.id} of {workspace}")
    return both.compare()


async def _records(reader: TopicReader, key: bytes) -> AsyncIterator[Record]:
    """The whole partition of the desk, up to now. Raises TongdaiError when its beginning is gone."""
    mine = reader.partition_of(key)
    begin, end = (await reader.begins())[mine], (await reader.ends())[mine]
    if begin > 0:
        raise TongdaiError(
            f"the log begins at {begin}: what a desk is can only be told from its beginning on"
        )
    async for read in reader.read({mine: begin}, {mine: end}):
        if read.offset % PROGRESS_EVERY == 0 and sys.stderr.isatty():
            typer.echo(f"{read.offset} of {end}", err=True)
        yield Record(
            COMMANDS.name,
            read.partition,
            read.offset,
            read.timestamp,
            read.key or b"",
            read.value or b"",
            list(read.headers),
        )


async def _elsewhere(settings: Settings, workspace: str, desk: str) -> dict[str, str]:
    """The pages and agents that the registry gives to other desks."""
    async with connected(settings, "tongdai whatif") as connection:
        return dict(await connection.fetch(ELSEWHERE, workspace, desk))


def _roster(workspace: Workspace, desk: str) -> DeskRoster:
    for roster in workspace.desks:
        if roster.id == desk:
            return roster
    known = ", ".join(one.id for one in workspace.desks)
    raise UsageError(f"the file has no desk {desk}, only {known}: name one with --desk")
