"""The demo from its start to its last word: servers, workers, sample, customers, agents, summary."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from dataclasses import replace

from config.errors import TongdaiError, UsageError
from config.settings import Settings
from workers.local.backing import Backing, backing_servers
from workers.local.crew.crew import Crew
from workers.local.crew.duties import DELIVERY, duties
from workers.local.crew.output import LogFile
from workers.local.crew.stop import Stop, StoppedEarlyError, stop_on_signals
from workers.local.demo.apps import ingress_variables, invent_apps
from workers.local.demo.options import Options
from workers.local.demo.platforms import delivery_variables, invent_delivery
from workers.local.demo.report import Report
from workers.local.demo.screen import Screen
from workers.local.demo.website import invent_website, website_variables
from workers.local.ports import free_port, is_free
from workers.local.preparation import prepare
from workers.local.up import working

LOG = "workers.log"
LATER = "workers.local.demo.play"
"""What comes after the servers, imported while they start."""


async def run_demo(settings: Settings, options: Options, screen: Screen) -> Report | None:
    """Run until the time is over or somebody asks to stop; everything is stopped in order.

    Returns what the run has shown; None when it was stopped before any customer had written.
    Raises TongdaiError, by whose exit code to end.
    """
    port, gateway_port = _port(options, settings), _free(settings.gateway.port)
    with stop_on_signals() as stop, closing(LogFile(options.data_dir / LOG)) as log:
        try:
            async with AsyncExitStack() as stack:
                backing = await stop.unless_asked(_servers(settings, options, screen, stack))
                screen.say(f"Workers start; what they say is in {log.path}")
                return await _with_workers(
                    _with_apps(backing, options, port, gateway_port), options, screen, log, stop
                )
        except StoppedEarlyError:
            screen.say("Stopped.")
            return None
        except TongdaiError:
            screen.say(f"What the workers said last is at the end of {log.path}")
            raise


async def _servers(settings: Settings, options: Options, screen: Screen, stack: AsyncExitStack) -> Backing:
    """Servers on which workers can run."""
    if options.embedded:
        if options.fresh:
            await _forget(options)
        screen.say(f"Kafka and PostgreSQL start; their data is in {options.data_dir}")
    servers = backing_servers(settings, options.data_dir, embedded=options.embedded, quick=True)
    importing = asyncio.create_task(asyncio.to_thread(importlib.import_module, LATER))
    backing = await stack.enter_async_context(servers)
    await prepare(backing.settings)
    await importing
    return backing


async def _forget(options: Options) -> None:
    from workers.local.servers import remove_data  # noqa: PLC0415 - an extra, only needed here

    await remove_data(options.data_dir)


def _port(options: Options, settings: Settings) -> int:
    if options.port and not is_free(options.port):
        raise UsageError(f"Port {options.port} is taken by another program: choose another --port.")
    return options.port or _free(settings.ingress.port)


def _free(usual: int) -> int:
    return usual if usual and is_free(usual) else free_port()


def _with_apps(backing: Backing, options: Options, port: int, gateway_port: int) -> Backing:
    """The same with the demo's own ingress, gateway, platforms and website in its settings."""
    settings = backing.settings
    own = {
        "ingress": invent_apps().model_copy(update={"port": port}),
        "gateway": settings.gateway.model_copy(update={"port": gateway_port}),
        "delivery": invent_delivery(settings),
        "website": invent_website(options.rate_per_s),
    }
    return replace(backing, settings=settings.model_copy(update=own))


async def _with_workers(
    backing: Backing, options: Options, screen: Screen, log: LogFile, stop: Stop
) -> Report:
    from workers.local.demo.play import play  # noqa: PLC0415 - see LATER

    settings = backing.settings
    variables = ingress_variables(settings.ingress, options.rate_per_s)
    variables |= delivery_variables(settings.delivery)
    variables |= website_variables(settings.website)
    workers = duties(
        settings,
        ingress_port=settings.ingress.port,
        gateway_port=settings.gateway.port,
        beside=(DELIVERY,),
        more=variables,
    )
    crew = Crew(workers, log.show, _both(log.show, screen.say), stop_deadline_s=settings.runtime.grace_s)
    # The first customer is not to wait for what only agents need.
    async with working(crew, stop, later=("gateway", DELIVERY)):
        return await play(backing, options, screen, crew, stop)


def _both(first: Callable[[str], None], second: Callable[[str], None]) -> Callable[[str], None]:
    def show(line: str) -> None:
        first(line)
        second(line)

    return show
