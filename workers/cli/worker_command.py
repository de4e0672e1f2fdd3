"""`tongdai worker`: one worker in this process, until it is told to stop."""

from __future__ import annotations

from workers.channels.process import run_ingress
from workers.cli.group import command_app
from workers.cli.start import start_worker

app = command_app()


@app.callback()
def _group() -> None:
    """Make each worker a command of a group."""


@app.command()
def ingress() -> None:
    """Take the channels' webhooks over HTTP and put what they say on inbound. Stops on SIGTERM."""
    run_ingress(start_worker())
