"""A workspace as a file describes it: its desks with their agents, departments, pages and rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas.definitions import Agent, Department, Page, Policy, Rule


@dataclass(frozen=True)
class DeskRoster:
    """All that one desk consists of; rules in the order in which they are tried."""

    id: str
    agents: tuple[Agent, ...]
    departments: tuple[Department, ...]
    pages: tuple[Page, ...]
    rules: tuple[Rule, ...]
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True)
class Workspace:
    """One company's desks."""

    id: str
    desks: tuple[DeskRoster, ...]
