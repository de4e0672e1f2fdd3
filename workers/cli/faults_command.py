"""`tongdai faults`: does to real workers what happens to machines, and checks that nothing was lost by it."""

from __future__ import annotations

import importlib
import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from config.errors import TongdaiError, UsageError
from workers.cli.group import command_app

app = command_app()

FOLDER = Path(".tongdai/faults")


class NotPassedError(TongdaiError):
    """Something did not hold, or a run did not come to its end."""


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
    plan = _module("faults.plan")
    tasks = (
        _chosen(fault, seed or [1], messages, minutes, rate)
        if fault
        else _planned(plan, seed, messages, minutes, rate, short=short)
    )
    tasks = [task for task in tasks if only in task.name]
    if not tasks:
        raise UsageError(f"--only {only}: there is no such run; --list shows them all")
    series = _module("faults.series").Series(tasks, folder, typer.echo, at_once)
    if again:
        series.forget_failures()
    if list_:
        _show_list(series)
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have it ignored in the background
    broken = series.run()
    _conclude(series.results, broken, document)


def _planned(
    plan: Any,  # noqa: ANN401  a module
    seed: list[int] | None,
    messages: int | None,
    minutes: float | None,
    rate: float | None,
    *,
    short: bool,
) -> list[Any]:
    if (seed, messages, minutes, rate) != (None, None, None, None):
        raise UsageError("--seed, --messages, --minutes and --rate go with --fault; a plan has its own")
    tasks: list[Any] = plan.short_plan() if short else plan.full_plan()
    return tasks


def _chosen(
    faults: list[str], seeds: list[int], messages: int | None, minutes: float | None, rate: float | None
) -> list[Any]:
    """A run for each of these faults and seeds."""
    runs = [tuple(tuple(phase.split(",")) for phase in fault.split("/")) for fault in faults]
    known = _module("faults.catalogue").FAULTS
    if unknown := sorted({name for run in runs for phase in run for name in phase} - set(known)):
        raise UsageError(f"--fault {', '.join(unknown)}: there are {', '.join(known)}")
    if messages is not None and minutes is not None:
        raise UsageError("--messages and --minutes: give one of them")
    plan = _module("faults.plan")
    if minutes:
        rate = rate or plan.RATE_PER_S
        messages = round(minutes * 60 * rate)
    return [plan.Task(run, seed, messages or plan.SELDOM_MESSAGES, rate) for run in runs for seed in seeds]


def _show_list(series: Any) -> None:  # noqa: ANN401  of a module that is there at run time only
    tasks, done = series.tasks, set(series.done)
    for task in tasks:
        typer.echo(f"{'done' if task in done else '    '}  {task.name}")
    typer.echo(
        f"{len(tasks)} runs, {len(done)} of them done; the others take about {series.left_s / 3600:.1f} h"
    )


def _conclude(results: list[Any], broken: list[Any], document: Path | None) -> None:
    table = _module("faults.table")
    lines = table.table(results)
    typer.echo("\n".join(lines))
    if document is not None:
        table.put(document, lines)
    failed = sum(bool(result["problems"]) for result in results)
    if failed or broken:
        raise NotPassedError(f"{failed} runs did not pass, {len(broken)} did not come to their end")


def _module(name: str) -> Any:  # noqa: ANN401  a module
    """Import a part of the campaigns; what they need beyond the workers comes with the extra `dev`."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"campaigns need {error.name}: run them from a checkout set up with `make setup`"
        ) from error
