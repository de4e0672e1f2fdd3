"""Log lines: what the transcript says of an assignment event, as code and parameters.

They are worded for their reader on reading. The opening and the end of a session give no line: a session
is seen by its messages, and its row tells when it was.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from schemas.assignments import Assigned, ChainEvent, Offered, Queued


class LogLine(NamedTuple):
    """A line's code and parameters."""

    code: str
    params: dict[str, Any]


def log_line(event: ChainEvent) -> LogLine | None:
    """The line of `event`; none when it gives none."""
    match event:
        case Assigned():
            return LogLine("assigned", _assigned(event))
        case Queued():
            return LogLine("queued", {"rule": event.rule, "rule_version": event.rule_version})
        case Offered():
            return LogLine("offered", {"audience": event.audience, "unrouted": event.unrouted})
    return None


def _assigned(event: Assigned) -> dict[str, Any]:
    params = {
        "agent": event.holder,
        "former": event.former_holder,
        "rule": event.why.rule,
        "rule_version": event.why.rule_version,
        "method": event.why.method,
    }
    return {name: value for name, value in params.items() if value is not None}
