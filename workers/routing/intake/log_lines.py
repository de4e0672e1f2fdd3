"""Log lines: what the transcript says of an assignment event, as code and parameters.

They are worded for their reader on reading, see workers.wording. What concerns one agent's own list or the
load alone gives no line, nor does a transfer that only asks others by now; nor do the opening and the end of
a session: a session is seen by its messages, and its row tells when it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from schemas.assignments import (
    Assigned,
    Blocked,
    CareChanged,
    ChainEvent,
    Offered,
    Queued,
    TransferEnded,
    Transferring,
    Unassigned,
    Unblocked,
)
from schemas.base import rfc3339
from schemas.ids import agent_of

Params = dict[str, Any]
"""Ids and words of the contract, never texts. `agent` is whom the line is about, `by` who did it."""


class LogLine(NamedTuple):
    """A line's code and parameters."""

    code: str
    params: Params


def log_line(event: ChainEvent) -> LogLine | None:
    """The line of `event`; none when it gives none."""
    line = _LINES.get(type(event))
    if line is None or (isinstance(event, Transferring) and event.again == "asked"):
        return None
    code, params = line
    return LogLine(code, {name: value for name, value in params(event).items() if value is not None})


def _who(actor: str | None) -> str | None:
    """The agent's id of `agent:<workspace>/<id>`; a service, an operator as they are: no id has a colon."""
    return (agent_of(actor) if actor else None) or actor


def _assigned(event: Assigned) -> Params:
    return {
        "agent": event.holder,
        "former": event.former_holder,
        "rule": event.why.rule,
        "rule_version": event.why.rule_version,
        "owner": event.why.owner,
        "method": event.why.method,
        "by": _who(event.why.by),
    }


def _queued(event: Queued) -> Params:
    return {"rule": event.rule, "rule_version": event.rule_version}


def _offered(event: Offered) -> Params:
    return {
        "audience": event.audience,
        "unrouted": event.unrouted,
        "rule": event.rule,
        "rule_version": event.rule_version,
    }


def _unassigned(event: Unassigned) -> Params:
    return {"agent": event.former_holder, "how": event.how, "by": _who(event.by)}


def _transferring(event: Transferring) -> Params:
    if event.again == "rejected":
        return {
            "agent": event.holder,
            "how": event.again,
            "to_agent": event.rejected[-1],
            "to_department": event.to_department,
        }
    return {
        "agent": event.holder,
        "to_agent": event.to_agent,
        "to_department": event.to_department,
        "by": _who(event.by),
    }


def _transfer_ended(event: TransferEnded) -> Params:
    return {"agent": event.holder, "how": event.how, "to_agent": event.agent, "by": _who(event.by)}


def _care_changed(event: CareChanged) -> Params:
    return {
        "agent": event.holder,
        "former_care": event.former_care,
        "care": event.care,
        "reason": event.reason,
        "outcome": event.outcome,
        "round": event.round,
        "by": _who(event.by),
    }


def _blocked(event: Blocked) -> Params:
    """`days`, since a time of day would need the reader's time zone; without it, for good."""
    until = event.until
    days = None if until is None else round((until - event.at) / timedelta(days=1))
    return {"until": until and rfc3339(until), "days": days, "by": _who(event.by), "reason": event.reason}


def _unblocked(event: Unblocked) -> Params:
    return {"by": _who(event.by)}


_LINES: dict[type[ChainEvent], tuple[str, Callable[[Any], Params]]] = {
    Assigned: ("assigned", _assigned),
    Queued: ("queued", _queued),
    Offered: ("offered", _offered),
    Unassigned: ("unassigned", _unassigned),
    Transferring: ("transferring", _transferring),
    TransferEnded: ("transfer_ended", _transfer_ended),
    CareChanged: ("care_changed", _care_changed),
    Blocked: ("blocked", _blocked),
    Unblocked: ("unblocked", _unblocked),
}
