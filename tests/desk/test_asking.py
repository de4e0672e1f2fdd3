"""What agents ask, on a real Postgres: over restarts, of other desks, and with ids that do not fit."""

from __future__ import annotations

from uuid import UUID

import orjson
import pytest

from schemas.asks import Appoint, Claim
from schemas.definitions import Agent
from tests.desk.log import PAGE, a_rule, an_agent, ask, configure, key_of, route
from tests.desk.scene import snapshot
from tests.desk.world import World

pytestmark = pytest.mark.servers

LAN = key_of("lan")


async def codes(world: World, *commands: Claim | Appoint) -> list[str]:
    """What becomes of each command: done, or why it is refused."""
    batch = await world.handle(*commands)
    events = [orjson.loads(event.value) for events in batch.events.values() for event in events]
    return [event.get("code", "done") for event in events if "request_sha256" in event]


async def test_offers_claims_and_what_was_declined_outlive_a_restart(world: World) -> None:
    rule = a_rule("an", "binh", method="self_claim", next_rings=[{"agents": ["chi"]}], offer_timeout_s=30)
    least = a_rule("an", "chi", id_="least", pages=["zalo:2"], method="least_busy")
    agents: list[Agent | str] = [an_agent("an", 2), "binh", "chi"]
    await world.handle(configure(agents, [rule, least], pages=[PAGE, "zalo:2"]), route("lan"), route("minh"))
    world.handler.forget()
    await world.handle(route("u1", page="zalo:2"), route("u2", page="zalo:2"))
    assert await codes(world, ask(Claim, "lan", "binh"), ask(Claim, "lan", "an")) == ["done", "taken"]
    world.handler.forget()
    assert await codes(world, ask(Claim, "lan", "an")) == ["taken"]
    stored = (await world.stored())[LAN]
    assert (stored.holder, stored.taken_from, stored.audience) == ("binh", "rule:chia-deu/0", None)
    assert stored.held_since is not None
    assert snapshot(await world.desk_of_tables()) == snapshot(world.desk_of_events())


async def test_what_another_desk_has_is_not_given_away_here(world: World) -> None:
    await world.handle(configure(["an"], [a_rule("an")]), route("lan"))
    await world.connection.execute("INSERT INTO agent_registry VALUES ('acme', 'xa', 'other')")
    await world.connection.execute("UPDATE desk_conversation SET desk_id = 'other' WHERE key = $1", LAN)
    await world.handle(route("minh"))
    world.handler.forget()
    assert await codes(
        world,
        ask(Appoint, "lan", "chu", agent="an"),
        ask(Appoint, "minh", "chu", agent="xa"),
        ask(Appoint, "minh", "chu", agent="la"),
    ) == ["other_desk", "other_desk", "unknown_agent"]


async def test_who_was_of_this_desk_and_is_another_s_now_is_asked_for_there(world: World) -> None:
    await world.handle(configure(["an", "xa"], [a_rule("an")]), route("lan"))
    await world.handle(configure(["an"], [a_rule("an")], idempotency_key="later"))
    await world.connection.execute("INSERT INTO agent_registry VALUES ('acme', 'xa', 'other')")
    given = ask(Appoint, "lan", "an", agent="xa", authority="admin")
    assert await codes(world, given, ask(Claim, "lan", "xa")) == ["other_desk", "other_desk"]


async def test_a_key_and_an_id_that_do_not_fit_name_no_conversation(world: World) -> None:
    await world.handle(configure(["an"], [a_rule("an")]), route("lan"), route("minh"))
    wrong = ask(Appoint, "lan", "chu", agent="an", key=key_of("minh"))
    unknown = ask(Appoint, "lan", "chu", agent="an", conversation=UUID(int=1))
    for _ in range(2):
        world.handler.forget()
        assert await codes(world, wrong, unknown) == ["unknown_conversation"] * 2
        wrong = wrong.model_copy(update={"idempotency_key": "again"})
        unknown = unknown.model_copy(update={"idempotency_key": "again too"})
