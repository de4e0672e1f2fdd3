"""Agents and departments that are asked together, as the agents they are."""

from __future__ import annotations

from itertools import chain

from schemas.definitions import Rule, Team
from workers.routing.desk.roster import Roster


def listed(roster: Roster, team: Rule | Team) -> tuple[str, ...]:
    """The agents of a team and of its departments, in order, without doubles."""
    departments = (roster.departments[department].definition.agents for department in team.departments)
    return tuple(dict.fromkeys(chain(team.agents, *departments)))
