"""Has the sample's agents come to work: their accounts, and who plays them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from config.settings import Settings
from workers.gateway.accounts import ADD, list_accounts
from workers.gateway.passwords import hash_password
from workers.local.crew.crew import Crew
from workers.local.crew.stop import Stop, StoppedEarlyError
from workers.local.demo.options import Options
from workers.local.demo.sample import admins_of, agents_of, company_of
from workers.local.simulator.agents.staff import Staff
from workers.runtime.postgres import connected
from workers.workspace.workspace import Workspace

PASSWORD = "hoa sen demo"  # noqa: S105 - it is to be known; only the local profile gets these accounts
READY_TIMEOUT_S = 120.0


def staff_of(settings: Settings, options: Options, workspace: Workspace, say: Callable[[str], None]) -> Staff:
    """Return those who play the first agents of the sample, as many as the options say."""
    return Staff(
        [gateway_url(settings)],
        workspace.id,
        list(agents_of(workspace))[: options.agents],
        PASSWORD,
        company_of(workspace),
        say,
        seed=options.seed,
    )


def gateway_url(settings: Settings) -> str:
    """Where the demo's gateway is reached."""
    return f"http://{settings.gateway.host}:{settings.gateway.port}"


async def attend(
    staff: Staff, settings: Settings, workspace: Workspace, crew: Crew, stop: Stop, say: Callable[[str], None]
) -> None:
    """Start the gateway and have them work, as soon as it is ready, until they are stopped.

    Raises TongdaiError when it is not in time, DependencyError when Postgres does not answer.
    """
    crew.start_later()
    try:
        await stop.unless_asked(crew.ready(READY_TIMEOUT_S))
        if settings.profile == "local":
            await stop.unless_asked(add_accounts(settings, workspace))
            say(f"Agents sign in at {gateway_url(settings)}: workspace {workspace.id}, password {PASSWORD!r}")
    except StoppedEarlyError:
        return
    await staff.run()


async def add_accounts(settings: Settings, workspace: Workspace) -> None:
    """Give each agent an account of his own id; one that there is keeps its password and its rights."""
    async with connected(settings, "tongdai demo") as connection:
        known = {account.login for account in await list_accounts(connection, workspace.id)}
        missing = [agent for agent in agents_of(workspace) if agent not in known]
        if not missing:
            return
        # Of one known password one hash is enough, and the customers go on writing meanwhile.
        hashed, admins = await asyncio.to_thread(hash_password, PASSWORD), admins_of(workspace)
        for agent in missing:
            role = "page_admin" if agent in admins else "agent"
            await connection.execute(ADD, workspace.id, agent, hashed, role, agent)
