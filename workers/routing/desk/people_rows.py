"""Where agents are and how fast they were given conversations, as rows of the desk's tables."""

from __future__ import annotations

from typing import Any

from workers.routing.desk.desk import Desk

PRESENCES = """
INSERT INTO desk_presence (workspace_id, desk_id, agent_id, presence, version, gateways, since)
SELECT workspace_id, desk_id, agent_id, presence, version, gateways, since
FROM json_to_recordset($1::json) AS changed (
    workspace_id text, desk_id text, agent_id text, presence text, version int, gateways jsonb,
    since timestamptz)
ON CONFLICT (workspace_id, desk_id, agent_id) DO UPDATE SET
    presence = excluded.presence, version = excluded.version, gateways = excluded.gateways,
    since = excluded.since
"""
PACES = """
INSERT INTO desk_pace (workspace_id, desk_id, agent_id, given)
SELECT workspace_id, desk_id, agent_id, given
FROM json_to_recordset($1::json) AS changed (
    workspace_id text, desk_id text, agent_id text, given timestamptz[])
ON CONFLICT (workspace_id, desk_id, agent_id) DO UPDATE SET given = excluded.given
"""
GATEWAYS = """
WITH changed AS (
    SELECT * FROM json_to_recordset($1::json) AS changed (
        workspace_id text, desk_id text, gateway text, alive_at timestamptz)
), lost AS (
    DELETE FROM desk_gateway USING changed
    WHERE desk_gateway.workspace_id = changed.workspace_id AND desk_gateway.desk_id = changed.desk_id
        AND desk_gateway.gateway = changed.gateway AND changed.alive_at IS NULL
)
INSERT INTO desk_gateway (workspace_id, desk_id, gateway, alive_at)
SELECT workspace_id, desk_id, gateway, alive_at FROM changed WHERE alive_at IS NOT NULL
ON CONFLICT (workspace_id, desk_id, gateway) DO UPDATE SET alive_at = excluded.alive_at
"""

Row = dict[str, Any]


def presence_row(desk: Desk, agent: str) -> Row:
    """The row of desk_presence."""
    whereabouts = desk.whereabouts[agent]
    return {
        **_place(desk),
        "agent_id": agent,
        "presence": whereabouts.presence,
        "version": whereabouts.version,
        "gateways": dict(whereabouts.gateways),
        "since": whereabouts.since,
    }


def pace_row(desk: Desk, agent: str) -> Row:
    """The row of desk_pace: first when he got his latest conversation, then when the desk gave him those that
    limits look at."""
    duty = desk.duties[agent]
    return {**_place(desk), "agent_id": agent, "given": (duty.got_at, *duty.given)}


def gateway_row(desk: Desk, gateway: str) -> Row:
    """The row of desk_gateway; one that is lost has no time."""
    return {**_place(desk), "gateway": gateway, "alive_at": desk.gateways.get(gateway)}


def _place(desk: Desk) -> Row:
    return {"workspace_id": desk.workspace, "desk_id": desk.id}
