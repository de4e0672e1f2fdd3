"""`tongdai faults`: does to real workers what happens to machines, and checks that nothing was lost by it."""

from __future__ import annotations

import signal
from collections import Counter
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
    *,
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
        typer.Option("--rate", min=1, max=10_000, help="A second (default: as faults need, up to 1,000)."),
    ] = None,
    short: Annotated[bool, typer.Option("--short", help="Each fault once, with few messages.")] = False,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=8, help="Runs side by side.")] = 1,
    again: Annotated[bool, typer.Option("--again", help="Do again what did not pass.")] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="COMMIT", help="Do again what was tried before this commit; HEAD: before now."
        ),
    ] = None,
    only: Annotated[str, typer.Option("--only", help="Runs with this in their names.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="Show the runs and do nothing.")] = False,
    folder: Annotated[Path, typer.Option("--folder", help="For data and logs of runs.")] = FOLDER,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            help="Keep results here; what is recorded is done. Default: docs/reliability for a plan, "
            "and for a fault the folder.",
        ),
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option("--document", help="Write the table of all that is recorded into this page."),
    ] = None,
) -> None:
    """Run a campaign: each run with servers and workers of its own.

    Started again it goes on where it stopped: give --again and --since again then, too. It exits with 1
    when a run did not pass.
    """
    if fault and document and not record:
        raise UsageError("--document shows what is recorded: say with --record where that shall be")
    wanted = Wanted(fault, seed, messages, minutes, rate)
    tasks = [task for task in _tasks(wanted, short=short) if only in task.name]
    if not tasks:
        raise UsageError(f"--only {only}: there is no such run; --list shows them all")
    kept = _record(record, folder, is_plan=not fault)
    series = part("faults.series").Series(tasks, folder, typer.echo, at_once, record=kept)
    _repeat(series, since, failed=again)
    _warn(series)
    if list_:
        _show_list(series)
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have it ignored in the background
    broken = series.run()
    if document and kept.runs:
        part("faults.table").write(document, kept.runs)
    _conclude(series.results, broken)


def _warn(series: Any) -> None:  # noqa: ANN401  of such a module
    """Say at once what would be seen an hour later; the other runs can be done all the same."""
    means, done = part("faults.means"), set(series.done)
    left = [task for task in series.tasks if task not in done]
    reasons = Counter(reason for task in left for reason in means.missing(sum(task.phases, ())))
    for reason, runs in reasons.items():
        typer.echo(f"{runs} of {len(left)} runs will break off: {reason}", err=True)


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


def _repeat(series: Any, since: str | None, *, failed: bool) -> None:  # noqa: ANN401  of such a module
    if failed:
        series.repeat(lambda result: result["problems"])
    if since:
        version = part("faults.version")
        commit = version.commit_of(since)
        series.repeat(lambda result: not version.is_since(result["commit"], commit))


def _show_list(series: Any) -> None:  # noqa: ANN401  of a module that is there at run time only
    tasks, done = series.tasks, set(series.done)
    for task in tasks:
        typer.echo(f"{'done' if task in done else '    '}  {task.name}")
    typer.echo(
        f"{len(tasks)} runs, {len(done)} of them done; the others take about {series.left_s / 3600:.1f} h"
    )


def _record(asked: Path | None, folder: Path, *, is_plan: bool) -> Any:  # noqa: ANN401  of such a module
    record = part("faults.record")
    return record.Record(asked or (record.RECORD if is_plan else folder))


def _conclude(results: list[Any], broken: list[Any]) -> None:
    typer.echo("\n".join(part("faults.table").table(results)))
    failed = sum(bool(result["problems"]) for result in results)
    if failed or broken:
        raise NotPassedError(f"{failed} runs did not pass, {len(broken)} did not come to their end")
