"""How a message stands is seen in the transcript, in the reader's language; and every query has its index."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest

from schemas.definitions import Page
from schemas.ids import conversation_id
from tests.delivery.ground import ONE, Ground, ground
from tests.plan_nodes import scans
from workers.channels.delivery import lost, message_rows, news, page_news, page_rows, unanswered
from workers.gateway.identity import Identity
from workers.gateway.queries import line_parts, transcript
from workers.gateway.queries.lines import Line
from workers.gateway.queries.people import read_pages
from workers.gateway.queries.scope import scope_of
from workers.gateway.queries.where import Where
from workers.gateway.roster import Roster
from workers.routing.intake import own
from workers.wording.word import LanguageCode

pytestmark = pytest.mark.servers
KEY = f"{ONE}:an"
LINE = """
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, body,
    page_id, clock_ahead, stored_at, seq)
VALUES ('acme', $1, $2, $3, 1, $4, 'text', 'x', 'messenger:100', false, now(), 0)
"""


async def lines_of(field: Ground, key: str, language: LanguageCode) -> list[Line]:
    """A conversation's transcript as an agent reads it."""
    identity = Identity("acme", "agent", "lan", "lan", frozenset())
    scope = scope_of(identity, Roster({"lan": "main"}, [], [], []))
    wanted = transcript.wanted(None, None, 10)
    async with field.database.acquire() as connection:
        where = Where(connection, scope, conversation_id(key), "main")
        found = await transcript.read_transcript(where, wanted, language, None)
    return list(found.lines)


async def test_an_answers_line_says_how_it_stands_and_what_to_do(database: str) -> None:
    async with ground(database) as field:
        field.one.faults.append({"message": "no", "code": 551})
        sends = [field.send(ONE, "an", "một"), field.send(ONE, "an", "hai")]
        ids = [uuid4(), *(send.message for send in sends), uuid4()]
        for position, (id_, sender) in enumerate(
            zip(ids, ("customer", "agent", "agent", "agent"), strict=True), 1
        ):
            await field.database.execute(LINE, conversation_id(KEY), position, id_, sender)
        await field.handle(*sends)
        async with field.delivering():
            await field.until(sends[0].message, "failed", "unreachable")
            await field.until(sends[1].message, "sent")
        found = [line.delivery for line in await lines_of(field, KEY, "vi")]
        assert (found[0], found[3]) == (None, None)
        assert found[1] is not None
        assert (found[1].state, found[1].reason) == ("failed", "unreachable")
        assert found[1].text.startswith("Không gửi được: khách đã chặn trang")
        assert found[1].advice == "Liên hệ khách qua kênh khác"
        assert found[2] is not None
        assert (found[2].state, found[2].text, found[2].advice) == ("sent", "Đã gửi", "")
        (english,) = [line.delivery for line in await lines_of(field, KEY, "en") if line.position == 3]
        assert english is not None
        assert english.text == "Sent"


async def test_a_paused_page_is_seen_by_those_who_work_for_it(database: str) -> None:
    async with ground(database) as field, field.database.acquire() as connection:
        page = Page(id=ONE, name="một", admins=("lan",))
        await connection.execute(
            "INSERT INTO desk_page VALUES ('acme', 'main', $1, $2, 1, true)", ONE, page.model_dump_json()
        )
        roster = Roster({"lan": "main"}, [], [("main", page)], [])
        scope = scope_of(Identity("acme", "agent", "lan", "lan", frozenset()), roster)
        (seen,) = await read_pages(connection, scope, roster)
        assert (seen.paused, seen.paused_since) == (None, None)
        field.one.token = "another since yesterday"
        async with field.delivering():
            await field.until(await field.say(ONE, "an", "một"), "queued", "token_broken")
        (seen,) = await read_pages(connection, scope, roster)
        assert (seen.paused, seen.paused_since is None) == ("token_broken", False)


SEEDED = """
INSERT INTO delivery (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, parts, state, due_at, attempted_at, told, changed_at, content)
SELECT 'acme', gen_random_uuid(), 'main', n % 6, md5((n / 10)::text)::uuid, 'messenger:100:' || n / 10,
    'messenger:' || n % 200, n % 10, 'agent:acme/lan', 1, CASE n % 20 WHEN 0 THEN 'queued' ELSE 'sent' END,
    now(), now(), true, now(), NULL
FROM generate_series(1, 20000) n
"""


async def test_what_is_asked_again_and_again_reads_an_index(database: str) -> None:
    async with ground(database) as field, field.database.acquire() as connection:
        await connection.execute(SEEDED)
        await connection.execute("ANALYZE delivery")
        one, now = uuid4(), datetime.now(UTC)
        queries: dict[str, tuple[str, tuple[Any, ...]]] = {
            "claim": (message_rows.CLAIM, (ONE, 10)),
            "waiting": (message_rows.WAITING, ([one],)),
            "due pages": (page_rows.DUE_PAGES, ()),
            "untold": (news.UNTOLD, ([1, 2], 100)),
            "untold pages": (page_news.UNTOLD, ([1, 2], 100)),
            "arrived": (news.ARRIVED, (one, "read", ["m"], now, "{}")),
            "echoed": (news.ECHOED, ("acme", one, 0, "m")),
            "unanswered": (unanswered.PROPOSE, ([1, 2], 100, now - now)),
            "echoes": (own.RECENT, ([one],)),
            "transcript": (line_parts.DELIVERIES, ("acme", [one])),
            "lost": (lost.LOST, (now - now, now - now, 1)),
        }
        for name, (query, arguments) in queries.items():
            async with connection.transaction():
                plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *arguments)
            found = scans(orjson.loads(plan)[0]["Plan"])
            assert "Seq Scan" not in {node for node, table in found if table == "delivery"}, (name, found)
