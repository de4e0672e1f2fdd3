"""`tongdai apply`: makes desks what a workspace file says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from config.errors import DependencyError, TongdaiError
from config.printable import printable
from schemas.outcomes import Refused
from workers.cli.consent import ask
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json
from workers.cli.start import start_tool
from workers.workspace.apply import OUTCOME_TIMEOUT_S, DeskOutcome, Plan, apply_plan, plan_workspace
from workers.workspace.loader import load_workspace
from workers.workspace.report import outcome_line, plan_lines, report

app = command_app()


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The workspace as YAML.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.1, max=3600, help="Seconds to wait for the outcome.")
    ] = OUTCOME_TIMEOUT_S,
    json: JsonOption = False,
) -> None:
    """Make the desks of a workspace what FILE says: agents, departments, pages and rules.

    Shows what will change, reserves pages and agents, sends one command per desk and waits for its outcome.
    Exits with 1 when a desk refuses, 3 when the file has mistakes, 5 when no outcome came in time.
    """
    workspace = load_workspace(file)
    settings = start_tool()
    plan = asyncio.run(plan_workspace(settings, workspace))
    if not json:
        typer.echo(printable("\n".join(plan_lines(plan)), lines=True))
    if plan.changing and not dry_run:
        ask("Apply?", "say --yes to apply, or --dry-run to look only", yes=yes, json=json)
    outcomes = () if dry_run else asyncio.run(apply_plan(settings, plan, timeout_s))
    if json:
        print_json(report(plan, outcomes, dry_run=dry_run))
    else:
        _print_outcomes(plan, outcomes)
    _raise_for(outcomes, timeout_s)


def _print_outcomes(plan: Plan, outcomes: tuple[DeskOutcome, ...]) -> None:
    for outcome in outcomes:
        typer.echo(outcome_line(plan.workspace.id, outcome))


def _raise_for(outcomes: tuple[DeskOutcome, ...], timeout_s: float) -> None:
    """End with the gravest of what happened, after everything was printed."""
    refused = [one.outcome for one in outcomes if isinstance(one.outcome, Refused)]
    if refused:
        sentences = "; ".join(f"desk {one.desk}: {one.sentence} ({one.code})" for one in refused)
        raise TongdaiError(f"refused: {sentences}")
    late = [one.sent for one in outcomes if one.outcome is None]
    if late:
        places = ", ".join(f"{sent.topic} partition {sent.partition} offset {sent.offset}" for sent in late)
        raise DependencyError(
            f"no outcome within {timeout_s:g} s. The command is on the log ({places}) and will still take "
            "effect: when a routing worker runs. See with tongdai lag; this command may be repeated."
        )
