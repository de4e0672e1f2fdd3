"""`tongdai export`: writes a workspace file that says what the desks have now."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from config.printable import printable
from workers.cli.group import command_app
from workers.cli.start import start_tool
from workers.workspace.export import read_workspace
from workers.workspace.writer import workspace_text

app = command_app()


@app.command()
def export(workspace: Annotated[str, typer.Argument(help="Its id.", show_default=False)]) -> None:
    """Write the workspace file of what is there now, also of what was changed through the gateway.

    Applied again it changes nothing. References to pages' secrets are kept nowhere, and not in it.
    """
    text = workspace_text(asyncio.run(read_workspace(start_tool(), workspace)))
    typer.echo(printable(text, lines=True) if sys.stdout.isatty() else text, nl=False)
