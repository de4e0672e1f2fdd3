"""The one desk of the benchmark: three pages, twelve agents, one rule that gives each the next in turn."""

from __future__ import annotations

from typing import Any

from bench.workload import PAGES
from config.settings import Settings
from schemas.definitions import Agent, Page, Rule
from schemas.ids import DEFAULT_DESK
from workers.workspace.command_writer import configure_command, send
from workers.workspace.workspace import DeskRoster

WORKSPACE = "bench"
DESK = DEFAULT_DESK
RULE = "in-turn"
AGENTS = tuple(f"agent-{number:02}" for number in range(1, 13))

_REGISTER_PAGES = """
INSERT INTO page_registry (page_id, workspace_id, desk_id) SELECT unnest($1::text[]), $2, $3
"""
_WRITE_RING = """
INSERT INTO desk_rule (workspace_id, desk_id, rule_id, definition, version, active, position, ring)
VALUES ($1, $2, $3, '{}', 1, true, 0, $4)
"""


async def register_pages(connection: Any) -> None:  # noqa: ANN401  an asyncpg connection
    """Let intake know whose the pages are."""
    await connection.execute(_REGISTER_PAGES, PAGES, WORKSPACE, DESK)


async def write_ring(connection: Any) -> None:  # noqa: ANN401  an asyncpg connection
    """Write the rotation where the desk keeps it, for contestants that have no desk."""
    await connection.execute(_WRITE_RING, WORKSPACE, DESK, RULE, list(AGENTS))


async def configure_desk(settings: Settings) -> None:
    """Put the roster on commands: the desk will read it before anything that it shall route."""
    agents = tuple(Agent(id=agent, name=agent) for agent in AGENTS)
    pages = tuple(Page(id=page, name=page, admins=AGENTS[:1]) for page in PAGES)
    rule = Rule(id=RULE, name="In turn", owner=AGENTS[0], pages=PAGES, agents=AGENTS)
    roster = DeskRoster(id=DESK, agents=agents, departments=(), pages=pages, rules=(rule,))
    await send(settings, [configure_command(WORKSPACE, roster, "cli:bench")])
