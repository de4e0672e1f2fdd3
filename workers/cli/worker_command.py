"""`tongdai worker`: one worker in this process, until it is told to stop."""

from __future__ import annotations

import uvloop

from workers.channels.process import run_ingress
from workers.cli.group import command_app
from workers.cli.start import start_worker
from workers.notifier.worker import notifier_handlers
from workers.routing.worker import routing_handlers
from workers.runtime.worker import MakeHandlers, run_worker

app = command_app()


@app.callback()
def _group() -> None:
    """Make each worker a command of a group."""


@app.command()
def ingress() -> None:
    """Take the channels' webhooks over HTTP and put what they say on inbound. Stops on SIGTERM."""
    run_ingress(start_worker())


@app.command()
def routing() -> None:
    """Store messages and decide who answers whom: intake and desk. Stops on SIGTERM."""
    _run("routing", routing_handlers)


@app.command()
def notifier() -> None:
    """Tell agents what is theirs and what is new in it. Stops on SIGTERM."""
    _run("notifier", notifier_handlers)


def _run(name: str, make_handlers: MakeHandlers) -> None:
    uvloop.run(run_worker(name, make_handlers, start_worker()))
