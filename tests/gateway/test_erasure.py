"""What erasing a customer would take away: told to who may have it done, before and afterwards."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.gateway.test_history import shop, told

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.mark.servers
async def test_admins_see_what_would_be_erased_and_how_the_last_erasure_stands(database: str) -> None:
    mine = told("messenger:1", "u1", "lan")
    async with shop(database, mine) as (gateway, tables):
        path = f"/conversations/{mine.id}/erasure"
        for who in ("lan", "ha", "crm", "nga"):
            assert (await gateway.ask(who, "GET", path))[0] == 403, who
        status, said = await gateway.ask("chu", "GET", path)
        assert status == 200, said
        assert (said["lines"], said["files"], said["orders"], said["done_at"]) == (1, 0, 0, None)
        await tables.execute(
            'UPDATE desk_conversation SET orders = \'[["DH1", "new"]]\' WHERE conversation_id = $1', mine.id
        )
        await tables.execute(
            "INSERT INTO visitor_address VALUES ('shop', $1, '10.0.0.1', 'w:1', now())", mine.id
        )
        await tables.execute(
            "INSERT INTO erasure VALUES ('shop', $1, 1, $2, 'agent:shop/chu', NULL)", mine.id, AT
        )
        await tables.execute("UPDATE message SET code = 'erased', body = NULL")
        _, said = await gateway.ask("chu", "GET", path)
        assert (said["lines"], said["addresses"], said["orders"]) == (0, 1, 1)
        assert (said["asked_by"], said["asked_at"], said["done_at"]) == (
            "agent:shop/chu",
            "2026-11-22T09:00:00.000Z",
            None,
        )
