"""What an agent's leave would do is told before it is asked for, and is what then becomes of it."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from config.settings import Settings
from tests.gateway.ground import Client, customer_writes, gateway, shop, sign_in
from tests.waiting import until

HELD = "SELECT FROM desk_conversation WHERE holder = 'lan' AND conversation_id = $1"
NOW = "SELECT holder, standing, count(*) AS n FROM desk_conversation GROUP BY holder, standing"


async def held_by_lan(
    settings: Settings, topics: dict[str, str], rows: asyncpg.Connection[Any], lan: Client, users: int
) -> None:
    """lan claims so many, and the session of one of them ends."""
    for number in range(users):
        conversation = await customer_writes(settings, topics, f"u{number}")
        offered = "SELECT FROM desk_conversation WHERE conversation_id = $1 AND standing = 'offered'"
        await until(rows, offered, conversation)
        assert (await lan.ask(f"conversations/{conversation}/claim")).status_code == 200
    assert (await lan.ask(f"conversations/{conversation}/session-end")).status_code == 200
    ended = "SELECT FROM desk_conversation WHERE conversation_id = $1 AND NOT session_open"
    await until(rows, ended, conversation)


@pytest.mark.servers
async def test_what_a_leave_would_do_is_what_it_then_does(
    settings: Settings, topics: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(settings) as rows, gateway(settings) as http:
        lan, ha, nga = [await sign_in(http, who) for who in ("lan", "ha", "nga")]
        await held_by_lan(settings, topics, rows, lan, 3)
        path = "agents/lan/leave/preview"
        nothing = {"given": {}, "offered": 0, "waiting": 0, "with_next_message": 0, "kept": 0}
        foreseen = {
            then: (await ha.get(f"{path}?then={then}")).json()["foreseen"]
            for then in ("next", "pool", "keep")
        }
        assert foreseen["keep"] == nothing | {"kept": 3}
        assert foreseen["next"] == foreseen["pool"] == nothing | {"offered": 2, "with_next_message": 1}
        told = (await lan.get(path)).json()
        assert (told["held"], told["talking"], told["then"]) == (3, 2, "next")
        assert [dict(row) for row in await rows.fetch(NOW)] == [{"holder": "lan", "standing": "held", "n": 3}]
        assert (await nga.get(path)).status_code == 403
        assert (await ha.get("agents/nobody/leave/preview")).status_code == 404
        assert (await ha.get(f"{path}?then=away")).status_code == 422
        await until(rows, "SELECT FROM audit WHERE actor = 'agent:shop/nga' AND call = 'set_leave'")

        done = await ha.ask("agents/lan/leave", {"on_leave": True, "then": "next"}, method="PUT")
        assert done.json()["result"]["released"] == 3
        await until(
            rows,
            "SELECT FROM (SELECT count(*) AS n FROM desk_conversation WHERE holder IS NULL) a WHERE n = 3",
        )
        now = {(row["holder"], row["standing"]): row["n"] for row in await rows.fetch(NOW)}
        assert now == {(None, "offered"): 2, (None, "idle"): 1}
        monkeypatch.setattr("workers.routing.desk.preview.FORESEEN_MAX", 1)
        assert (await ha.get(path)).json()["foreseen"] is None
