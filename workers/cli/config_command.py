"""`tongdai config`: what is set, and by whom."""

from __future__ import annotations

import typer

from config.provenance import provenance_of
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table
from workers.cli.start import start_tool

app = command_app()


@app.callback()
def _group() -> None:
    """Make `show` a command of a group, although it is the only one."""


@app.command()
def show(json: JsonOption = False) -> None:
    """Show every setting, its value and where it comes from. Secrets are masked."""
    settings = start_tool()
    rows = provenance_of(settings)
    if json:
        values = {row.variable: {"value": row.value, "source": row.source} for row in rows}
        print_json({"settings": values, "warnings": [str(warning) for warning in settings.warnings]})
        return
    cells = [(row.variable, "" if row.value is None else str(row.value), row.source) for row in rows]
    print_table(("variable", "value", "from"), cells)
    for warning in settings.warnings:
        typer.echo(f"warning: {warning}", err=True)
