"""`tongdai worker`: one worker in this process, until it is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.cli.group import command_app
from workers.cli.start import start_worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.runtime.upkeep import Chore
    from workers.runtime.worker import MakeHandlers

app = command_app()


@app.callback()
def _group() -> None:
    """Make each worker a command of a group."""


@app.command()
def ingress() -> None:
    """Take the channels' webhooks over HTTP and put what they say on inbound. Stops on SIGTERM."""
    from workers.channels.process import run_ingress  # noqa: PLC0415 - each imports only what it needs

    run_ingress(start_worker())


@app.command()
def routing() -> None:
    """Store messages and decide who answers whom: intake and desk. Stops on SIGTERM."""
    from workers.routing.worker import routing_chores, routing_handlers  # noqa: PLC0415

    _run("routing", routing_handlers, routing_chores())


@app.command()
def notifier() -> None:
    """Tell agents what is theirs and what is new in it. Stops on SIGTERM."""
    from workers.notifier.worker import notifier_handlers  # noqa: PLC0415

    _run("notifier", notifier_handlers)


@app.command()
def gateway() -> None:
    """Serve agents and page admins over HTTP and WebSocket. Stops on SIGTERM."""
    from workers.gateway.process import run_gateway  # noqa: PLC0415

    run_gateway(start_worker())


@app.command()
def delivery() -> None:
    """Give agents' answers to the channels, and tell how each one fares. Stops on SIGTERM."""
    from workers.channels.delivery.worker import run_delivery  # noqa: PLC0415

    run_delivery(start_worker())


@app.command()
def webhooks() -> None:
    """Send events to the URLs that workspaces have named. Stops on SIGTERM."""
    from workers.webhooks.process import run_webhooks  # noqa: PLC0415

    run_webhooks(start_worker())


def _run(name: str, make_handlers: MakeHandlers, chores: Sequence[Chore] = ()) -> None:
    import uvloop  # noqa: PLC0415

    from workers.runtime.garbage import collect_seldom  # noqa: PLC0415
    from workers.runtime.worker import run_worker  # noqa: PLC0415

    settings = start_worker()
    collect_seldom()
    uvloop.run(run_worker(name, make_handlers, settings, chores))
