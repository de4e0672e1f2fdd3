"""Every kind of record: its `ce_type`, its topic and its model."""

from __future__ import annotations

from pydantic import BaseModel

from schemas import actions, assignments, commands, inbound, messages, notifications, outcomes, roster
from schemas.envelope import Kind

RECORDS: dict[Kind, type[BaseModel]] = {
    Kind("inbound", "message"): inbound.Message,
    Kind("inbound", "postback"): inbound.Postback,
    Kind("inbound", "echo"): inbound.Echo,
    Kind("inbound", "other"): inbound.Other,
    Kind("actions", "session_timer"): actions.SessionTimer,
    Kind("messages", "stored"): messages.Stored,
    Kind("commands", "route"): commands.Route,
    Kind("commands", "session_ended"): commands.SessionEnded,
    Kind("commands", "configure"): commands.Configure,
    Kind("assignments", "session_opened"): assignments.SessionOpened,
    Kind("assignments", "session_closed"): assignments.SessionClosed,
    Kind("assignments", "confirmed"): assignments.Confirmed,
    Kind("assignments", "assigned"): assignments.Assigned,
    Kind("assignments", "queued"): assignments.Queued,
    Kind("assignments", "offered"): assignments.Offered,
    Kind("roster", "agent_changed"): roster.AgentChanged,
    Kind("roster", "department_changed"): roster.DepartmentChanged,
    Kind("roster", "page_changed"): roster.PageChanged,
    Kind("roster", "rule_changed"): roster.RuleChanged,
    Kind("notifications", "assigned"): notifications.AssignedNotice,
    Kind("notifications", "message"): notifications.MessageNotice,
    Kind("outcomes", "done"): outcomes.Done,
    Kind("outcomes", "refused"): outcomes.Refused,
}
