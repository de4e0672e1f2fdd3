"""`tongdai faults`: does to real workers what happens to machines, and checks that nothing was lost by it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from config.errors import TongdaiError, UsageError
from workers.cli.checkout_only import part
from workers.cli.group import command_app

app = command_app()

FOLDER = Path(".tongdai/faults")


class NotPassedError(TongdaiError):
    """Something did not hold, or a run did not come to its end."""


class Wanted(NamedTuple):
    """Which runs somebody asks for by themselves; nothing of it: a plan's."""

    faults: list[str] | None = None
    seeds: list[int] | None = None
    messages: int | None = None
    minutes: float | None = None
    rate_per_s: float | None = None


@app.callback()
def _group() -> None:
    """Make `run` a command of a group."""


@app.command()
def run(
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            help="Do this one; may be repeated. NAME,NAME: one upon the other in one run; NAME/NAME: "
            "the next when all is as before. Default: a plan.",
        ),
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", min=0, help="Of messages and victims; may be repeated.")
    ] = None,
    messages: Annotated[
        int | None, typer.Option("--messages", min=100, max=10_000_000, help="Records to send around each.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.1, max=600, help="Or for how long to send them.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", min=1, max=10_000, help="Records a second (default: as a fault needs)."),
    ] = None,
    short: Annotated[bool, typer.Option("--short", help="Each fault once, with few messages.")] = False,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=8, help="Runs side by side.")] = 1,
    again: Annotated[bool, typer.Option("--again", help="Do again what did not pass.")] = False,
    only: Annotated[str, typer.Option("--only", help="Runs with this in their names.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="Show the runs and do nothing.")] = False,
    folder: Annotated[Path, typer.Option("--folder", help="For results; what is done is left out.")] = FOLDER,
    document: Annotated[
        Path | None, typer.Option("--document", help="Write the table into this page, between its marks.")
    ] = None,
) -> None:
    """Run a campaign: each run with servers and workers of its own.

    Started again it goes on where it stopped. It exits with 1 when a run did not pass.
    """
    wanted = Wanted(fault, seed, messages, minutes, rate)
    tasks = [task for task in _tasks(wanted, short=short) if only in task.name]
    if not tasks:
        raise UsageError(f"--only {only}: there is no such run; --list shows them all")
    series = part("faults.series").Series(tasks, folder, typer.echo, at_once)
    if again:
        series.forget_failures()
    if list_:
        _show_list(series)
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have it ignored in the background
    broken = series.run()
    _conclude(series.results, broken, document)


def _tasks(wanted: Wanted, *, short: bool) -> list[Any]:
    """What is asked for, or else a plan."""
    if wanted.faults:
        return _chosen(wanted)
    if wanted != Wanted():
        raise UsageError("--seed, --messages, --minutes and --rate go with --fault; a plan has its own")
    plan = part("faults.plan")
    tasks: list[Any] = plan.short_plan() if short else plan.full_plan()
    return tasks


def _chosen(wanted: Wanted) -> list[Any]:
    """A run for each of these faults and seeds."""
    runs = [tuple(tuple(phase.split(",")) for phase in fault.split("/")) for fault in wanted.faults or ()]
    known = part("faults.catalogue").FAULTS
    if unknown := sorted({name for run in runs for phase in run for name in phase} - set(known)):
        raise UsageError(f"--fault {', '.join(unknown)}: there are {', '.join(known)}")
    if wanted.messages is not None and wanted.minutes is not None:
        raise UsageError("--messages and --minutes: give one of them")
    plan = part("faults.plan")
    messages, rate = wanted.messages or plan.SELDOM_MESSAGES, wanted.rate_per_s
    if wanted.minutes:
        rate = rate or plan.RATE_PER_S
        messages = round(wanted.minutes * 60 * rate)
    return [plan.Task(run, seed, messages, rate) for run in runs for seed in wanted.seeds or [1]]


def _show_list(series: Any) -> None:  # noqa: ANN401  of a module that is there at run time only
    tasks, done = series.tasks, set(series.done)
    for task in tasks:
        typer.echo(f"{'done' if task in done else '    '}  {task.name}")
    typer.echo(
        f"{len(tasks)} runs, {len(done)} of them done; the others take about {series.left_s / 3600:.1f} h"
    )


def _conclude(results: list[Any], broken: list[Any], document: Path | None) -> None:
    table = part("faults.table")
    lines = table.table(results)
    typer.echo("\n".join(lines))
    if document is not None:
        table.write(document, results)
    failed = sum(bool(result["problems"]) for result in results)
    if failed or broken:
        raise NotPassedError(f"{failed} runs did not pass, {len(broken)} did not come to their end")
