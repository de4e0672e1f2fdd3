"""The sample workspace: who answers the demo's customers."""

from __future__ import annotations

from pathlib import Path

from config.errors import DependencyError, TongdaiError
from config.settings import Settings
from schemas.ids import channel_of
from schemas.outcomes import Refused
from workers.local.simulator.agents.choice import Company
from workers.workspace.apply import Plan, apply_plan, plan_workspace
from workers.workspace.loader import load_workspace
from workers.workspace.workspace import Workspace

OUTCOME_TIMEOUT_S = 60.0
SAMPLE = Path(__file__).parents[1] / "sample.yaml"


async def plan_sample(settings: Settings) -> Plan:
    """Return what is to be changed for the desk to be what the sample says: mostly nothing."""
    return await plan_workspace(settings, sample())


async def apply_sample(settings: Settings, plan: Plan) -> None:
    """Change it, which needs a routing worker that is ready.

    Raises TongdaiError when the desk refuses, DependencyError when nobody answers.
    """
    for desk in await apply_plan(settings, plan, OUTCOME_TIMEOUT_S):
        if isinstance(desk.outcome, Refused):
            raise TongdaiError(f"{SAMPLE.name} is refused: {desk.outcome.sentence} ({desk.outcome.code})")
        if desk.outcome is None:
            raise DependencyError(f"No routing worker answered to {SAMPLE.name} in time: see what it said.")


def sample() -> Workspace:
    """Read the file."""
    return load_workspace(SAMPLE)


def pages_of(workspace: Workspace) -> list[str]:
    """Return the ids of all pages (`channel:account`)."""
    return [page.id for desk in workspace.desks for page in desk.pages]


def platform_pages_of(workspace: Workspace) -> list[str]:
    """Return the ids of those that a platform has: all but the website, which is ours."""
    return [page for page in pages_of(workspace) if channel_of(page) != "web"]


def agents_of(workspace: Workspace) -> dict[str, str]:
    """Return the agents' names by their ids, department by department."""
    names = {agent.id: agent.name for desk in workspace.desks for agent in desk.agents}
    listed = [agent for desk in workspace.desks for each in desk.departments for agent in each.agents]
    return {agent: names[agent] for agent in (*listed, *names)}


def admins_of(workspace: Workspace) -> set[str]:
    """Return the ids of those who administer a page."""
    return {admin for desk in workspace.desks for page in desk.pages for admin in page.admins}


def company_of(workspace: Workspace) -> Company:
    """Return what its agents know of each other."""
    return Company(
        colleagues=tuple(agents_of(workspace)),
        admins={page.id: page.admins for desk in workspace.desks for page in desk.pages},
        departments=tuple(each.id for desk in workspace.desks for each in desk.departments),
        reasons=tuple(
            reason.id
            for desk in workspace.desks
            for reason in desk.policy.reasons
            if reason.care == "refused"
        ),
    )
