"""`tongdai recover`: lets stopped lanes run again."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from config.errors import UsageError
from config.settings import Settings
from workers.channels.delivery.worker import delivery_handlers
from workers.cli.asking_again import ask_again
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json
from workers.cli.start import start_tool
from workers.notifier.worker import notifier_handlers
from workers.routing.worker import routing_handlers
from workers.runtime.postgres import connect, disconnect
from workers.runtime.recovery import Recovered, StoppedLane, recover, stopped_lanes
from workers.runtime.runtime import read_topology

app = command_app()

KINDS = ("desk", "intake", "delivery", "notifier")
"""In this order: each reads tables of those before it, as it did when they had been written."""


@app.command("recover")
def recover_lanes(
    lane: Annotated[
        list[str] | None,
        typer.Option("--lane", metavar="KIND/NUMBER", help="Which, e.g. intake/3; may be repeated."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every stopped lane.")] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on behind records that the log no longer has.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List the stopped lanes with their reasons, or let them run again, publishing nothing twice.

    After a loss that is accepted, desks are asked once more about customers whom they do not know of.
    """
    settings = start_tool()
    if lane and every:
        raise UsageError("name lanes with --lane, or all of them with --all, not both")
    stopped = asyncio.run(_stopped(settings))
    if not lane and not every:
        _list(stopped, json=json)
        return
    wanted = [_parse(text) for text in lane] if lane else [(one.kind, one.lane) for one in stopped]
    wanted.sort(key=lambda one: (KINDS.index(one[0]), one[1]))
    recovered = [asyncio.run(_recover(settings, *one, accept_loss=accept_loss)) for one in wanted]
    asked = asyncio.run(ask_again(settings)) if accept_loss else 0
    if json:
        print_json({"recovered": [asdict(one) for one in recovered], "asked_again": asked})
        return
    for one in recovered:
        typer.echo(
            f"{one.kind}/{one.lane} runs again: {one.repeated} records read again, {one.published} events "
            f"published now, {one.known_ahead} known to readers already, {sum(one.skipped.values())} records "
            "given up"
        )
    if asked:
        typer.echo(f"desks were asked once more about {asked} customers whose sessions they do not know")


def _parse(text: str) -> tuple[str, int]:
    kind, _, number = text.partition("/")
    if kind not in KINDS or not number.isdecimal():
        raise UsageError(f"{text!r} is no lane: write intake/N, desk/N, notifier/N or delivery/N")
    return kind, int(number)


def _list(stopped: list[StoppedLane], *, json: bool) -> None:
    if json:
        print_json({"stopped": [asdict(one) for one in stopped]})
        return
    for one in stopped:
        typer.echo(f"{one.kind}/{one.lane}: {one.reason}")
    typer.echo(f"{len(stopped)} lanes are stopped" if stopped else "no lane is stopped")


async def _stopped(settings: Settings) -> list[StoppedLane]:
    connection = await connect(settings, "tongdai recover")
    try:
        return await stopped_lanes(connection)
    finally:
        await disconnect(connection)


async def _recover(settings: Settings, kind: str, lane: int, *, accept_loss: bool) -> Recovered:
    topology = await read_topology(settings)
    makers = (routing_handlers, notifier_handlers, delivery_handlers)
    handlers = {handler.kind: handler for make in makers for handler in make(topology, settings)}
    return await recover(settings, topology, handlers[kind], lane, accept_loss=accept_loss)
