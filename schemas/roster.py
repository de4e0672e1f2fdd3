"""roster: versions of what a desk consists of. Key: `agent:workspace/agent`, or the desk's key."""

from __future__ import annotations

from pydantic import Field

from schemas.assignments import Cause, Presence
from schemas.base import InsideModel, Moment, Slug
from schemas.definitions import Agent, Department, Page, Policy, Rule


class RosterEvent(InsideModel):
    """Which desk, when, and the version that holds from here on."""

    workspace: Slug
    desk: Slug
    at: Moment
    version: int
    removed: bool = False
    cause: Cause | None = None
    """None in events of before it was told."""


class AgentChanged(RosterEvent):
    """An agent joined, changed or left."""

    agent: Agent


class DepartmentChanged(RosterEvent):
    """A department appeared, changed or went."""

    department: Department


class PageChanged(RosterEvent):
    """A page was connected, changed or went."""

    page: Page


class RuleChanged(RosterEvent):
    """A rule was written, changed or deleted."""

    rule: Rule
    position: int
    """Its place in the order of rules, from 0."""
    ring: tuple[Slug, ...]
    """Its agents and those of its departments, without doubles, in the order of their coming turns."""


class PolicyChanged(RosterEvent):
    """What holds for the whole desk was changed."""

    policy: Policy


HIMSELF = "himself"
"""Among the gateways: no gateway is called so."""


class PresenceChanged(RosterEvent):
    """An agent came, went, or stepped away, at one of the gateways; `version` counts his changes."""

    agent: Slug
    presence: Presence
    former: Presence
    """The same as `presence` when only `gateways` changed."""
    gateways: dict[str, Presence] = Field(default_factory=dict)
    """What he is at each gateway where he is connected; and `himself`, as long as he says that he is away."""
