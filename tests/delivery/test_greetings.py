"""A page greets by itself: from a customer's first message to the platform, which shows it back to us."""

from __future__ import annotations

import time

import pytest

from schemas.definitions import AutoText, Hours, Page, Policy
from schemas.ids import message_id
from schemas.outbound import Echoed, Send
from tests.delivery.ground import OA, ONE, Ground, ground
from tests.delivery.test_seen_by_agents import lines_of
from tests.intake.log import PARTITIONS, Log, key_of, published
from workers.channels.delivery.marker import marker
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch

GREETING = AutoText(vi="Chào bạn, shop trả lời ngay", en="Hello, we will be with you soon")
CLOSED = AutoText(vi="Shop đã đóng cửa")
NEVER = Hours.model_validate({"stretches": [{"days": ["mon"], "begins": "00:00", "ends": "00:01"}]})


class Shop:
    """Intake before the platforms: what it sends goes out, and what they show comes back."""

    def __init__(self, field: Ground) -> None:
        self.field = field
        self.log = Log(now_ms=time.time_ns() // 1_000_000)
        self._intake = IntakeHandler(PARTITIONS)

    async def take(self) -> Batch:
        """Intake takes in what the log has."""
        batch = self.log.batch()
        async with self.field.database.acquire() as connection, connection.transaction():
            await self._intake.handle(connection, batch)
        assert batch.rejected == 0
        return batch

    async def hear(self, page: str, id_: str, language: str) -> None:
        """A customer writes, and what intake makes of it goes on its way."""
        account = self.field.oa if page == OA else self.field.one
        account.heard("an")
        self.log.say("an", id_, page=page, language=language)
        sent = published(await self.take(), "outbound")
        await self.field.handle(*(Send.model_validate(value) for kind, value in sent if kind == "send"))


@pytest.mark.servers
async def test_a_greeting_goes_out_once_a_session_and_its_echo_is_ours(database: str) -> None:
    async with ground(database) as field:
        pages = {ONE: Page(id=ONE, name="một", admins=("lan",), greeting=GREETING, out_of_hours=CLOSED)}
        pages[OA] = pages[ONE].model_copy(update={"id": OA, "out_of_hours": None})
        for known in pages.values():
            await field.database.execute(
                "INSERT INTO desk_page VALUES ('acme', 'main', $1, $2, 1, true)",
                known.id,
                known.model_dump_json(),
            )
        policy = Policy(hours=NEVER).model_dump_json()
        await field.database.execute("INSERT INTO desk_policy VALUES ('acme', 'main', $1, 1)", policy)
        shop = Shop(field)
        async with field.delivering():
            for page, language in ((ONE, "vi"), (OA, "en")):
                for id_ in ("m1", "m2", "m1"):
                    await shop.hear(page, id_, language)
            open_ = await field.database.fetch("SELECT message_id FROM delivery")
            for row in open_:
                await field.until(row["message_id"], "sent")
        assert field.one.texts("an") == ["Shop đã đóng cửa"]
        assert field.oa.texts("an") == ["Hello, we will be with you soon"]
        seen = "SELECT position FROM message_seen WHERE message_id = $1"
        assert await field.database.fetchval(seen, message_id(ONE, "m1")) == 1

        said = field.one.said[0]
        assert said.marker == marker(await field.database.fetchval(GREETED, ONE), 0)
        shop.log.say("an", said.id, page=ONE, what="echo", author="bot", marker=said.marker)
        echo = await shop.take()
        assert published(echo, "messages") == []
        assert not [Echoed.model_validate(value) for _, value in published(echo, "outbound")]

        lines = await lines_of(field, key_of("an", ONE), "en")
        assert [(line.sender, line.text) for line in lines] == [
            ("customer", "text of m1"),
            ("system", "Shop đã đóng cửa"),
            ("customer", "text of m2"),
        ]
        assert lines[1].delivery is not None
        assert lines[1].delivery.state == "sent"


GREETED = "SELECT message_id FROM message WHERE page_id = $1 AND sender = 'system'"
