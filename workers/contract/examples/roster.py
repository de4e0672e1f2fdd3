"""roster: what the configure command of the story made of the desk; and Minh comes online."""

from __future__ import annotations

from schemas.assignments import Cause
from schemas.envelope import Kind
from schemas.ids import event_id
from schemas.roster import (
    AgentChanged,
    DepartmentChanged,
    PageChanged,
    PolicyChanged,
    PresenceChanged,
    RosterEvent,
    RuleChanged,
)
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.people import (
    DESK,
    DESK_KEY,
    MINH,
    MINH_KEY,
    POLICY,
    RULE,
    SAIGON,
    SALES,
    WORKSPACE,
)

_AT = at(-3_600)
_CAUSE = Cause(partition=3, offset=0)
_CAME_AT = at(-120)
_CAME = Cause(partition=3, offset=205)


def _event(what: str, value: RosterEvent, ordinal: int, key: str = DESK_KEY) -> Example:
    cause = value.cause or _CAUSE
    id_ = event_id("commands", cause.partition, cause.offset, "desk", ordinal)
    return example(Kind("roster", what), value, key=key, source="tongdai/desk/3", id_=id_, time=value.at)


EXAMPLES = (
    _event(
        "agent_changed",
        AgentChanged(
            workspace=WORKSPACE, desk=DESK, at=_AT, version=1, removed=False, cause=_CAUSE, agent=MINH
        ),
        1,
        MINH_KEY,
    ),
    _event(
        "department_changed",
        DepartmentChanged(
            workspace=WORKSPACE, desk=DESK, at=_AT, version=1, removed=False, cause=_CAUSE, department=SALES
        ),
        2,
    ),
    _event(
        "page_changed",
        PageChanged(
            workspace=WORKSPACE, desk=DESK, at=_AT, version=1, removed=False, cause=_CAUSE, page=SAIGON
        ),
        3,
    ),
    _event(
        "rule_changed",
        RuleChanged(
            workspace=WORKSPACE,
            desk=DESK,
            at=_AT,
            version=1,
            removed=False,
            cause=_CAUSE,
            rule=RULE,
            position=0,
            ring=("lan", "minh"),
        ),
        4,
    ),
    _event(
        "policy_changed",
        PolicyChanged(
            workspace=WORKSPACE, desk=DESK, at=_AT, version=1, removed=False, cause=_CAUSE, policy=POLICY
        ),
        5,
    ),
    _event(
        "presence_changed",
        PresenceChanged(
            workspace=WORKSPACE,
            desk=DESK,
            at=_CAME_AT,
            version=1,
            removed=False,
            cause=_CAME,
            agent="minh",
            presence="online",
            former="offline",
            gateways={"gateway-1": "online"},
        ),
        0,
        MINH_KEY,
    ),
)
