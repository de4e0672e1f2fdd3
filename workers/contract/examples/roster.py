"""roster: what the configure command of the story made of the desk."""

from __future__ import annotations

from schemas.assignments import Cause
from schemas.envelope import Kind
from schemas.ids import agent_key, event_id
from schemas.roster import AgentChanged, DepartmentChanged, PageChanged, RosterEvent, RuleChanged
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.people import DESK, DESK_KEY, MINH, RULE, SAIGON, SALES, WORKSPACE

_AT = at(-3_600)
_CAUSE = Cause(partition=3, offset=0)


def _event(what: str, value: RosterEvent, ordinal: int, key: str = DESK_KEY) -> Example:
    id_ = event_id("commands", _CAUSE.partition, _CAUSE.offset, "desk", ordinal)
    return example(Kind("roster", what), value, key=key, source="tongdai/desk/3", id_=id_, time=_AT)


EXAMPLES = (
    _event(
        "agent_changed",
        AgentChanged(
            workspace=WORKSPACE, desk=DESK, at=_AT, version=1, removed=False, cause=_CAUSE, agent=MINH
        ),
        1,
        agent_key(WORKSPACE, "minh"),
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
)
