"""`tongdai recover`: lets stopped lanes run again."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict
from time import monotonic
from typing import Annotated

import typer

from config.errors import DependencyError, TongdaiError, UsageError
from config.settings import Settings
from workers.channels.delivery.worker import delivery_handlers
from workers.cli.asking_again import ask_again
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json
from workers.cli.start import start_tool
from workers.notifier.worker import notifier_handlers
from workers.routing.worker import routing_handlers
from workers.runtime.identity import LaneName
from workers.runtime.postgres import connected
from workers.runtime.recovery import Failed, Recovered, Result, Running, StoppedLane, recover, stopped_lanes
from workers.runtime.runtime import read_topology

app = command_app()

KINDS = ("desk", "intake", "delivery", "notifier")
"""In this order: each reads tables of those before it, as it did when they had been written."""
PROGRESS_INTERVAL_S = 5.0
_NUMBER = re.compile(r"[0-9]{1,9}")


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
    if not lane and not every:
        _list(asyncio.run(_stopped(settings)), json=json)
        return
    named = [_parse(text) for text in lane or ()]
    results = asyncio.run(_recover(settings, named, accept_loss=accept_loss))
    asked, unasked = _ask_again(settings) if accept_loss else (0, None)
    failed = [one for one in results if isinstance(one, Failed)]
    recovered = [one for one in results if isinstance(one, Recovered)]
    running = [str(LaneName(one.kind, one.lane)) for one in results if isinstance(one, Running)]
    if json:
        found = {"recovered": recovered, "running": running, "failed": failed, "asked_again": asked}
        print_json(found)
    else:
        _tell(recovered, running, asked)
    if failed:
        raise TongdaiError(_told(failed, len(results)))
    if unasked is not None:
        raise unasked


def _ask_again(settings: Settings) -> tuple[int, DependencyError | None]:
    """Whatever came of the lanes; and what comes of asking hides nothing of them."""
    try:
        return asyncio.run(ask_again(settings)), None
    except DependencyError as error:
        return 0, error


def _tell(recovered: list[Recovered], running: list[str], asked: int) -> None:
    for one in recovered:
        typer.echo(
            f"{one.kind}/{one.lane} runs again: {one.repeated} records read again, {one.published} events "
            f"published now, {one.known_ahead} known to readers already, {sum(one.skipped.values())} records "
            "given up"
        )
    for name in running:
        typer.echo(f"{name} was not stopped")
    if asked:
        typer.echo(f"desks were asked once more about {asked} customers whose sessions they do not know")


def _told(failed: list[Failed], count: int) -> str:
    """Of each that stands still why, in lines."""
    lines = [f"{one.kind}/{one.lane}: {one.error}" for one in failed]
    return "\n".join([f"{len(failed)} of {count} lanes stand still as before:", *lines])


def _parse(text: str) -> LaneName:
    kind, _, number = text.partition("/")
    if kind not in KINDS or not _NUMBER.fullmatch(number):
        raise UsageError(f"{text!r} is no lane: write intake/N, desk/N, notifier/N or delivery/N")
    return LaneName(kind, int(number))


def _list(stopped: list[StoppedLane], *, json: bool) -> None:
    if json:
        print_json({"stopped": [asdict(one) for one in stopped]})
        return
    for one in stopped:
        typer.echo(f"{one.kind}/{one.lane}: {one.reason}")
    typer.echo(f"{len(stopped)} lanes are stopped" if stopped else "no lane is stopped")


async def _stopped(settings: Settings) -> list[StoppedLane]:
    async with connected(settings, "tongdai recover") as connection:
        return await stopped_lanes(connection)


async def _recover(settings: Settings, named: list[LaneName], *, accept_loss: bool) -> list[Result]:
    """Recover the named lanes; none: all that are stopped."""
    topology = await read_topology(settings)
    makers = (routing_handlers, notifier_handlers, delivery_handlers)
    handlers = [handler for make in makers for handler in make(topology, settings)]
    handlers.sort(key=lambda handler: KINDS.index(handler.kind))
    lanes = named or [LaneName(one.kind, one.lane) for one in await _stopped(settings)]
    return await recover(settings, topology, handlers, lanes, accept_loss=accept_loss, tell=_Progress().tell)


class _Progress:
    """Says now and then, on stderr, how far the topics are read: that may take minutes."""

    def __init__(self) -> None:
        self._told_at = monotonic()

    def tell(self, done: int, total: int) -> None:
        if monotonic() - self._told_at > PROGRESS_INTERVAL_S:
            self._told_at = monotonic()
            typer.echo(f"looked up {done:,} of {total:,} records that readers have", err=True)
