"""A workspace never sees another: what is another's is answered as if it were not there."""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from config.settings import Settings
from schemas.definitions import Agent
from tests.gateway.document import DOCUMENT
from tests.gateway.ground import SHOP, Client, add_people, gateway, sign_in
from tests.gateway.shop_tables import fill, told
from workers.gateway.service_tokens import add_service_token

BODIES: dict[str, dict[str, Any]] = {
    "appoint": {"agent": "lan"},
    "transfer": {"to_agent": "lan"},
    "set_care": {"care": "refused"},
    "say": {"text": "Dạ"},
    "start_chat": {"text": "Dạ"},
    "write_note": {"text": "Dạ"},
    "send_mail": {"ticket": 1, "text": "Dạ"},
    "send_sms": {"ticket": 1, "text": "Dạ"},
    "start_call": {"ticket": 1, "agent_phone": "0912345678"},
    "mark_read": {"position": 1},
    "edit_ticket": {"ticket": 1},
    "link_order": {"order": "DH1", "status": "new"},
    "set_capacity": {"capacity": 1},
    "set_leave": {"on_leave": True},
    "order_rules": {"order": ["r"]},
    "put_rule": {"id": "{rule}", "name": "R", "owner": "lan"},
    "put_department": {"id": "{department}", "name": "D", "agents": ["lan"]},
    "put_agent": {"id": "{agent}", "name": "A"},
    "put_page": {"id": "{page}", "name": "P", "admins": ["lan"]},
}
"""What an operation needs to be understood; the others need nothing."""
OUTCOME = """
INSERT INTO intake_outcome VALUES ('rival', 'agent:rival/lan', 'k1', '\\x00', $1, now())
"""
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if "{" in path
]


async def asked(
    client: Client, method: str, path: str, operation: dict[str, Any], theirs: dict[str, str]
) -> tuple[int, str]:
    """What is answered about what is theirs."""
    names = {name: theirs.get(name, str(uuid4())) for name in path_names(path)}
    needed = BODIES.get(operation["operationId"], {})
    said = needed | ({"id": str(needed["id"]).format(**names)} if "id" in needed else {})
    body = said if method != "GET" else None
    answer = await client.ask(path.removeprefix("/api/v1/").format(**names), body, method=method, version=1)
    return answer.status_code, answer.text


def path_names(path: str) -> list[str]:
    """The names of its parameters."""
    return [part.partition("}")[0] for part in path.split("{")[1:]]


@pytest.mark.servers
async def test_whatever_is_asked_about_what_is_another_s_is_not_found(
    settings: Settings, topics: dict[str, str]
) -> None:
    random = Random(7)
    every = [told(shop, number, random) for shop in (SHOP, "rival") for number in range(20)]
    rows = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    await fill(rows, every)
    await add_people(rows)
    rex = Agent(id="rex", name="Rex").model_dump_json()
    await rows.execute("INSERT INTO desk_agent VALUES ('rival', 'main', 'rex', $1, 1, true)", rex)
    done = {"kind": "done", "command": "say", "actor": "agent:rival/lan", "idempotency_key": "k1"}
    await rows.execute(OUTCOME, orjson.dumps(done).decode())
    scopes = ["messages", "customers", "conversations", "roster", "orders"]
    crm = await add_service_token(rows, SHOP, "crm", scopes, None)
    await rows.close()
    rival = next(one for one in every if one.shop == "rival" and one.followers)
    theirs = {"conversation": str(rival.id), "agent": "rex", "key": "k1", "ticket": "1"}
    async with gateway(settings, agent_rate_per_s=1e6) as http:
        clients = [await sign_in(http, who) for who in ("lan", "ha", "chu")]
        for client in (*clients, Client(http, crm)):
            for method, path, operation in OPERATIONS:
                status, text = await asked(client, method, path, operation, theirs)
                # Elsewhere who is no admin is not even told that there is nothing.
                is_known = any(f"{{{name}}}" in path for name in theirs)
                assert status in ((404,) if is_known else (403, 404, 422)), (method, path, text)
            mixed = [*[str(one.id) for one in every if one.shop == SHOP][:3], str(rival.id)]
            bulk = await client.ask("bulk", {"what": "follow", "conversations": mixed})
            assert (bulk.status_code, bulk.json()["details"]["subjects"]) == (404, [str(rival.id)])
            told_pages = {one["page"]["name"] for one in (await client.get("pages")).json()}
            assert not any("rival" in name for name in told_pages)
