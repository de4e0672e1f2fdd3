"""All workers on this machine, with the servers and everything on them that they need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from config.settings import Settings
from workers.local.backing import ADDRESSES, backing_servers
from workers.local.crew.beside import beside
from workers.local.crew.crew import Crew
from workers.local.crew.duties import DELIVERY, WEBHOOKS, duties
from workers.local.crew.output import Show
from workers.local.crew.stop import Stop, StoppedEarlyError, stop_on_signals
from workers.local.ports import free_port
from workers.local.preparation import prepare


async def up(settings: Settings, data_dir: Path, *, embedded: bool, say: Show, show: Show) -> None:
    """Run all workers until SIGINT or SIGTERM; one that dies is started again.

    Args:
        settings: as they are set.
        data_dir: of embedded servers.
        embedded: whether to start servers here, rather than to use those that the settings name.
        say: takes a line for the person who started this.
        show: takes each line that a worker writes.

    Raises TongdaiError, by whose exit code to end.
    """
    with stop_on_signals() as stop:
        try:
            await _up(settings, data_dir, stop, embedded=embedded, say=say, show=show)
        except StoppedEarlyError:
            say("stopped")


async def _up(
    settings: Settings, data_dir: Path, stop: Stop, *, embedded: bool, say: Show, show: Show
) -> None:
    async with AsyncExitStack() as stack:
        if embedded:
            say(f"starting Kafka and PostgreSQL, data in {data_dir}")
        servers = backing_servers(settings, data_dir, embedded=embedded)
        backing = await stop.unless_asked(stack.enter_async_context(servers))
        connected = backing.settings
        await stop.unless_asked(prepare(connected))
        if embedded:
            say(f"for other commands, in another terminal: set -a; . {data_dir / ADDRESSES}; set +a")
        port = settings.ingress.port or free_port()
        gateway_port = settings.gateway.port or free_port()
        workers = duties(connected, ingress_port=port, gateway_port=gateway_port, beside=(DELIVERY, WEBHOOKS))
        crew = Crew(workers, show, say, stop_deadline_s=settings.runtime.grace_s)
        async with working(crew, stop), beside(backing.failure()) as side:
            await stop.unless_asked(side.run(crew.ready(None)))
            say(f"agents are served at http://{settings.gateway.host}:{gateway_port}/api/v1")
            say(f"ready: webhooks are taken at http://{settings.ingress.host}:{port}; Ctrl-C stops")
            await stop.unless_asked(side.run(crew.failure()))


@asynccontextmanager
async def working(crew: Crew, stop: Stop, later: Collection[str] = ()) -> AsyncIterator[None]:
    """Have the crew work inside the block, some of them `later`; raises as `Crew.stop` does."""
    crew.start(later)
    try:
        yield
    finally:
        await crew.stop(stop.hurried)
