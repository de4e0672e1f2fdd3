"""Decisions on where agents are: what gateways tell of them, and gateways of which nothing is heard."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.asks import GatewayAlive, SetPresence
from schemas.assignments import Presence
from schemas.roster import HIMSELF, PresenceChanged
from workers.routing.desk.dealing import drain
from workers.routing.desk.decision import Draft
from workers.routing.desk.duty import OFFLINE, Whereabouts
from workers.routing.desk.gateways import GatewayHeard
from workers.routing.desk.targets import ask_anew, end_transfers_to
from workers.routing.desk.unheard import call_anew


def set_presence(draft: Draft, command: SetPresence) -> None:
    """An agent is this at that gateway; one whom the desk does not know is nobody's concern."""
    draft.say(GatewayHeard(gateway=command.gateway, at=draft.place.at))
    if command.agent in draft.desk.roster.agents:
        gateways = dict(draft.desk.whereabouts.get(command.agent, OFFLINE).gateways)
        gateways[command.gateway] = command.presence
        if command.away is not None:
            gateways[HIMSELF] = "away" if command.away else "offline"
        _move(draft, {command.agent: gateways})


def gateway_alive(draft: Draft, command: GatewayAlive) -> None:
    """A gateway gave a sign of life."""
    draft.say(GatewayHeard(gateway=command.gateway, at=draft.place.at))


def lose_gateway(draft: Draft, gateway: str) -> None:
    """Nothing was heard of `gateway` for long: whoever is connected there alone is offline."""
    draft.say(GatewayHeard(gateway=gateway, at=draft.place.at, lost=True))
    whereabouts = draft.desk.whereabouts.items()
    there = {agent: one.gateways for agent, one in whereabouts if gateway in one.gateways}
    _move(draft, {agent: {**gateways, gateway: "offline"} for agent, gateways in there.items()})


def _move(draft: Draft, agents: Mapping[str, Mapping[str, Presence]]) -> None:
    """Let these agents be that at each gateway, and carry out what follows from it."""
    desk = draft.desk
    online = {agent for agent in agents if desk.presence_of(agent) == "online"}
    for agent, gateways in agents.items():
        _tell(draft, agent, gateways)
    came = {agent for agent in agents if desk.presence_of(agent) == "online"}
    if call_anew(draft, came ^ online) or came - online:
        drain(draft)


def _tell(draft: Draft, agent: str, gateways: Mapping[str, Presence]) -> None:
    """Let `agent` be that at each gateway; what only he could have answered does not wait for him."""
    before = draft.desk.whereabouts.get(agent, OFFLINE)
    now = Whereabouts({gateway: one for gateway, one in gateways.items() if one != "offline"})
    if now.gateways == before.gateways:
        return
    draft.say(
        PresenceChanged(
            workspace=draft.desk.workspace,
            desk=draft.desk.id,
            at=draft.place.at,
            version=before.version + 1,
            cause=draft.place.cause,
            agent=agent,
            presence=now.presence,
            former=before.presence,
            gateways=dict(now.gateways),
        )
    )
    if now.presence == "offline":
        end_transfers_to(draft, agent, "target_offline")
    elif now.presence == "online" and before.presence != "online":
        ask_anew(draft, agent)
