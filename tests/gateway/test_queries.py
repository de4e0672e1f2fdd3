"""What agents and page admins read: all that is theirs to see, in order, and nothing of anybody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.base import rfc3339
from tests.databases import new_database, on
from tests.gateway.shop_tables import ADMINS, AGENTS, BEGAN, PAGES, Told, fill, told
from workers.gateway.app import api
from workers.gateway.asking import identify
from workers.gateway.audit import Audit
from workers.gateway.identity import Identity, Role
from workers.gateway.looking import Looking
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.queries.filters import Filters
from workers.gateway.queries.lists import count
from workers.gateway.queries.pool import SERVER_SETTINGS
from workers.gateway.queries.queries import FIRST, Queries
from workers.gateway.queries.scope import BUCKETS, BucketName
from workers.gateway.queries.statements import Wanted
from workers.gateway.queries.walking import Part, walk
from workers.gateway.roster import Rosters
from workers.gateway.visitors import Visitors
from workers.gateway.watching import Watching

pytestmark = pytest.mark.servers

LISTS = ("care", "tag", "group", "page", "channel")
"""Filters of which several can be given."""
Value = str | int | bool | list[str]
Asked = Mapping[str, Value]
"""A query."""

ROLES: dict[str, Role] = {"ha": "page_admin", "xa": "page_admin", "chu": "admin"}
# Written anew: which audiences are whose.
ASKED = {
    "lan": {"rule:first/0", "page:messenger:1"},
    "minh": {"rule:first/0", "rule:second/0", "page:messenger:1", "page:zalo:2"},
    "nga": {"rule:first/1", "rule:second/0", "page:messenger:1", "page:zalo:2"},
    "ha": {"page:messenger:1", "admins:messenger:1"},
    "chu": {"page:zalo:2", "admins:zalo:2"},
    "xa": {"rule:first/0", "page:zalo:3", "admins:zalo:3"},
}


LINES = """
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, body, code,
    params, page_id, clock_ahead, stored_at, seq)
SELECT 'shop', $1, n, gen_random_uuid(), 1, (ARRAY['system', 'agent', 'agent'])[1 + n % 3],
    (ARRAY['log', 'note', 'text'])[1 + n % 3], CASE WHEN n % 3 > 0 THEN n::text END,
    CASE WHEN n % 3 = 0 THEN 'assigned' END,
    (ARRAY['{"agent": "lan", "method": "claim"}', '{"mentions": ["ha"]}', NULL])[1 + n % 3]::jsonb,
    'zalo:2', false, $2::timestamptz + n * interval '3 days', 1
FROM generate_series(2, 40) AS n
"""
"""A log line, a note, a text, and so on."""
LAST_HELD = """
UPDATE desk_conversation SET last_held_at = $2 WHERE workspace_id = 'shop' AND conversation_id = $1
"""


class Asking:
    """Clients of a gateway that asks nobody for a password."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.audit = Audit(pool, GatewayMetrics())
        self.queries = Queries(pool, Rosters(pool), self.audit)
        self._app = api()
        visitors = Visitors(Looking(lambda _: None), Watching())
        self._app.state.gateway = SimpleNamespace(
            queries=self.queries, audit=self.audit, visitors=visitors, files=None
        )
        transport = httpx.ASGITransport(self._app)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://gateway/api/v1")

    async def get(
        self, who: str, path: str, asked: Asked | None = None, shop: str = "shop"
    ) -> httpx.Response:
        """What somebody is answered."""
        identity = Identity(shop, ROLES.get(who, "agent"), who, who)
        if who == "service":
            identity = Identity(shop, "service", None, who, frozenset({"conversations"}))
        self._app.dependency_overrides[identify] = lambda: identity
        return await self._http.get(path, params=asked)

    async def told(self, who: str, path: str, asked: Asked | None = None, shop: str = "shop") -> Any:  # noqa: ANN401  JSON
        """The same, when it is answered well."""
        answer = await self.get(who, path, asked, shop)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def whole(
        self, who: str, asked: Asked | None = None, path: str = "/conversations", shop: str = "shop"
    ) -> list[UUID]:
        """All pages of a list."""
        found: list[UUID] = []
        after: dict[str, str] = {}
        while True:
            page = await self.told(who, path, {"limit": 17, **(asked or {}), **after}, shop)
            found += [UUID(one["conversation"]) for one in page["conversations"]]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}


class Everything(list[Told]):
    """What there is; shortly said where a test fails."""

    def __repr__(self) -> str:
        return f"{len(self)} conversations"


@pytest.fixture(scope="module")
def everything() -> list[Told]:
    random = Random(7)
    return Everything(told(shop, number, random) for shop in ("shop", "rival") for number in range(200))


@pytest.fixture(scope="module")
def filled(postgres_dsn: str, template_database: str, everything: list[Told]) -> Iterator[str]:
    """A database for all tests of this module: what they add concerns only themselves."""
    with new_database(postgres_dsn, template_database) as dsn:
        asyncio.run(on(dsn, lambda one: fill(one, everything)))
        yield dsn


@pytest.fixture
async def asking(filled: str) -> AsyncIterator[Asking]:
    async with asyncpg.create_pool(filled, min_size=1, max_size=4, server_settings=SERVER_SETTINGS) as pool:
        yield Asking(pool)


def bucket_of(one: Told, who: str) -> str | None:
    """Written anew, from the words of the design."""
    is_mine = ROLES.get(who) == "admin" or (ROLES.get(who) == "page_admin" and ADMINS[one.page] == who)
    may_take = one.audience in ASKED.get(who, ()) and one.desk == AGENTS.get(who)
    if one.holder is None:
        return "unclaimed" if is_mine or may_take else None
    if is_mine:
        return "mine" if one.holder == who else "watching"
    return "assigned" if one.holder == who else None


def standing_of(one: Told) -> str:
    """How it stands."""
    return "held" if one.holder else "offered" if one.audience else "idle"


def in_buckets(who: str, buckets: Sequence[str] = BUCKETS) -> Callable[[Told], bool]:
    """Whether somebody sees it in one of these."""
    return lambda one: bucket_of(one, who) in buckets


def listed(everything: Sequence[Told], takes: Callable[[Told], bool], shop: str = "shop") -> list[UUID]:
    """Those of a shop, the last written in first."""
    found = [one for one in everything if one.shop == shop and takes(one)]
    return [one.id for one in sorted(found, key=lambda one: (one.last_at, one.id), reverse=True)]


async def test_every_list_has_what_is_his_in_order_and_nothing_else(
    asking: Asking, everything: list[Told]
) -> None:
    for shop in ("shop", "rival"):
        for who in AGENTS:
            for bucket in ("all", *BUCKETS):
                buckets = BUCKETS if bucket == "all" else (bucket,)
                wanted = listed(everything, in_buckets(who, buckets), shop)
                assert await asking.whole(who, {"bucket": bucket}, shop=shop) == wanted, (shop, who, bucket)
    assert await asking.whole("stranger") == []
    assert await asking.whole("lan", shop="nowhere") == []


async def test_a_list_tells_since_when_somebody_waits_and_not_how_old_it_is(
    asking: Asking, everything: list[Told], filled: str
) -> None:
    """Who had an agent for ten minutes and lost him has waited since then."""
    one = next(one for one in everything if one.shop == "shop" and one.audience)
    lost = one.last_at + timedelta(minutes=10)

    async def waits_since() -> str:
        row = (await asking.told("chu", f"/conversations/{one.id}"))["conversation"]
        return str(row["waits_since"])

    assert await waits_since() == rfc3339(one.last_at)
    await on(filled, lambda rows: rows.execute(LAST_HELD, one.id, lost))
    assert await waits_since() == rfc3339(lost)


FILTERS: dict[str, tuple[Asked, Callable[[Told], bool]]] = {
    "care": ({"care": ["done", "new"]}, lambda one: one.care in ("done", "new")),
    "tag": ({"tag": ["vip", "hỏi giá"]}, lambda one: {"vip", "hỏi giá"} <= set(one.tags)),
    "page": ({"page": "zalo:2"}, lambda one: one.page == "zalo:2"),
    "channel": ({"channel": "zalo"}, lambda one: one.page.startswith("zalo")),
    "holder": ({"holder": "lan"}, lambda one: one.holder == "lan"),
    "since": (
        {"since": BEGAN.isoformat(), "until": "2026-11-01T08:15:14Z"},
        lambda one: one.last_at.isoformat() < "2026-11-01T08:15:14",
    ),
    "name": ({"q": "đưc"}, lambda one: "Đức" in one.name),
    "bare name": ({"q": "HOA nguyen"}, lambda one: one.name == "Nguyễn Thị Hoa"),
    "apart": ({"q": "Nguye\u0302\u0303n Ho"}, lambda one: one.name == "Nguyễn Thị Hoa"),
    "quote": ({"q": "o'br"}, lambda one: one.name == "o'Brien"),
    "nothing": ({"q": "!?"}, lambda _: False),
    "phone": ({"q": "0000042"}, lambda one: (one.phone or "").endswith("0000042")),
    "text": ({"text": "AO KHOAC ĐỎ"}, lambda one: "áo khoác" in one.text),
    "several": (
        {"text": "cam on", "care": "accepted", "q": "le"},
        lambda one: (one.text, one.care, one.name) == ("Cảm ơn", "accepted", "Lê Ánh"),
    ),
}


async def test_lists_are_narrowed_and_counted_as_asked(asking: Asking, everything: list[Told]) -> None:
    for who in ("minh", "ha", "chu"):
        for name, (asked, takes) in FILTERS.items():
            wanted = listed(everything, lambda one: bucket_of(one, who) is not None and takes(one))  # noqa: B023
            assert await asking.whole(who, asked) == wanted, (who, name)
            amount = await asking.told(who, "/conversations/count", asked)
            assert amount == {"count": len(wanted), "text": str(len(wanted))}


def unread_of(one: Told, who: str) -> int:
    """Of what he only follows his own reading counts, which has come to the end here."""
    return 0 if who in one.followers and who != one.holder else one.unread


@pytest.mark.parametrize("few", [2, 1_200], ids=["many", "few"])
async def test_what_a_row_has_unread_is_what_narrows_a_list(
    asking: Asking, everything: list[Told], few: int
) -> None:
    """So an offer that is counted as unread is among them, too."""
    with bounds(walking_FEW=few):
        for who in ("minh", "ha", "chu"):
            for bucket in ("all", *BUCKETS):
                buckets = BUCKETS if bucket == "all" else (bucket,)
                his = [one for one in everything if one.shop == "shop" and bucket_of(one, who) in buckets]
                page = await asking.told(who, "/conversations", {"bucket": bucket, "limit": 100})
                told = {UUID(row["conversation"]): row["unread"] for row in page["conversations"]}
                assert told.items() <= {one.id: unread_of(one, who) for one in his}.items(), (who, bucket)
                wanted = listed(his, lambda one: unread_of(one, who) > 0)  # noqa: B023
                assert await asking.whole(who, {"bucket": bucket, "unread": True}) == wanted, (who, bucket)


@contextmanager
def bounds(**limits: int) -> Iterator[None]:
    """Other bounds of what is looked at, each by its module and name."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            module, _, constant = name.partition("_")
            patch.setattr(f"workers.gateway.queries.{module}.{constant}", value)
        yield


async def test_a_count_goes_no_further_than_it_says(asking: Asking, everything: list[Told]) -> None:
    seen = len(listed(everything, in_buckets("chu")))
    with bounds(lists_COUNTED_MAX=10):
        assert await asking.told("chu", "/conversations/count") == {"count": 10, "text": "10+"}
    with bounds(lists_WALKED_MAX=12):
        assert await asking.told("chu", "/conversations/count") == {"count": 12, "text": "12+"}
    assert await asking.told("chu", "/conversations/count") == {"count": seen, "text": str(seen)}


# Whose offers and held conversations lie among all of the workspace, at the end of a part.
@example(who="ha", bucket="all", names=[], limit=5, few=1, walked=15, common=0, merged=0, heads=2)
@given(
    who=st.sampled_from(sorted(AGENTS)),
    bucket=st.sampled_from(("all", *BUCKETS)),
    names=st.lists(st.sampled_from(sorted(FILTERS)), max_size=3, unique=True),
    limit=st.integers(5, 60),
    few=st.sampled_from((1, 20, 1_000)),
    walked=st.sampled_from((15, 40, 1_000)),
    common=st.sampled_from((0, 1_000_000)),
    merged=st.sampled_from((0, 2, 24)),
    heads=st.sampled_from((2, 3_000)),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_filters_leave_what_a_plain_look_at_all_rows_leaves_whichever_way_is_taken(
    asking: Asking,
    everything: list[Told],
    who: str,
    bucket: BucketName,
    names: list[str],
    limit: int,
    few: int,
    walked: int,
    common: int,
    merged: int,
    heads: int,
) -> None:
    asked: dict[str, Value] = {"bucket": bucket}
    takes = [in_buckets(who, BUCKETS if bucket == "all" else (bucket,))]
    for name in names:
        said, takes_it = FILTERS[name]
        if not said.keys() & asked.keys():
            asked |= {
                key: [value] if key in LISTS and isinstance(value, str) else value
                for key, value in said.items()
            }
            takes.append(takes_it)
    wanted = listed(everything, lambda one: all(takes_it(one) for takes_it in takes))
    filters = Filters.model_validate(asked)
    identity = Identity("shop", ROLES.get(who, "agent"), who, who)
    looked = bounds(
        walking_FEW=few,
        walking_WALKED=walked,
        walking_READ=walked,
        walking_COMMON=common,
        streams_MERGED_MAX=merged,
        statements_HEADS_MAX=heads,
    )
    async with asking.queries.view(identity) as view:
        with looked:
            found, part = [], Part([], FIRST)
            while part.end is not None:
                part = await walk(view.connection, Wanted(view.scope, filters, part.end, limit))
                found += [one.id for one in part.found]
            amount = await count(view.connection, view.scope, filters)
    assert found == wanted
    assert amount.count == len(wanted) or (amount.text.endswith("+") and amount.count < len(wanted))


async def test_the_counts_are_those_of_the_lists(asking: Asking, everything: list[Told]) -> None:
    for who in AGENTS:
        counts = await asking.told(who, "/counts")
        for bucket in BUCKETS:
            seen = [one for one in everything if one.shop == "shop" and bucket_of(one, who) == bucket]
            wanted = {"conversations": len(seen), "unread": sum(one.unread for one in seen)}
            assert counts["buckets"][bucket] == wanted, (who, bucket)
        seen = [one for one in everything if one.shop == "shop" and bucket_of(one, who)]
        assert counts["all"]["conversations"] == len(seen)
        for channel in {one.page.partition(":")[0] for one in seen}:
            unread = sum(one.unread for one in seen if one.page.startswith(channel))
            told = counts["channels"][channel]
            assert (told["unread"], told["shown"]) == (unread, "99+" if unread > 99 else str(unread))
    service = await asking.told("service", "/counts")
    assert service["all"]["conversations"] == sum(one.shop == "shop" for one in everything)


async def test_my_users_are_those_i_follow(asking: Asking, everything: list[Told]) -> None:
    for who in ("lan", "nga"):
        wanted = listed(everything, lambda one: who in one.followers)  # noqa: B023
        assert await asking.whole(who, path="/customers/mine") == wanted
    unread = listed(everything, lambda one: one.holder == "lan" and one.unread > 0)
    assert await asking.whole("lan", {"unread": True}, "/customers/mine") == unread


async def test_a_conversation_is_seen_by_those_who_may_and_found_by_nobody_else(
    asking: Asking, everything: list[Told]
) -> None:
    for one in everything[::4]:
        for who in AGENTS:
            answer = await asking.get(who, f"/conversations/{one.id}")
            if one.shop != "shop":
                assert answer.status_code == httpx.codes.NOT_FOUND
                continue
            may = bucket_of(one, who) is not None or who in one.followers
            assert answer.status_code == (httpx.codes.OK if may else httpx.codes.FORBIDDEN), (one, who)
            lines = await asking.get(who, f"/conversations/{one.id}/messages")
            assert lines.status_code == answer.status_code
            why = await asking.get(who, f"/conversations/{one.id}/explain", {"language": "en"})
            assert why.status_code == answer.status_code
            if may:
                (sentence, *_) = why.json()["stands"]
                begins = {
                    "held": f"{(one.holder or '').capitalize()} has it",
                    "offered": "It waits for an a",
                }
                assert sentence.startswith(begins.get(standing_of(one), "A session is open")), sentence
                told = answer.json()
                assert told["conversation"]["bucket"] == bucket_of(one, who)
                assert told["conversation"]["last_message"]["text"] == one.text
                assert (told["profile"]["channel_name"], told["profile"]["phone"]) == (one.name, one.phone)


async def test_a_transcript_is_read_from_both_ends_in_the_words_of_its_reader(
    asking: Asking, everything: list[Told], filled: str
) -> None:
    one = next(one for one in everything if one.shop == "shop" and one.holder == "lan")
    writer = await asyncpg.connect(filled)
    await writer.execute(LINES, one.id, one.last_at)
    await writer.close()
    path = f"/conversations/{one.id}/messages"
    last = await asking.told("lan", path, {"limit": 5})
    assert [line["position"] for line in last["lines"]] == [36, 37, 38, 39, 40]
    assert last["has_more"]
    assert last["lines"][0]["text"] == "Bạn đã nhận hội thoại"
    assert last["lines"][1]["mentions"] == ["ha"]
    before = await asking.told("lan", path, {"before": 36, "limit": 200})
    assert [line["position"] for line in before["lines"]] == list(range(1, 36))
    assert not before["has_more"]
    after = await asking.told("chu", path, {"after": 33, "limit": 4, "language": "en"})
    assert [line["position"] for line in after["lines"]] == [34, 35, 36, 37]
    assert after["lines"][2]["text"].startswith("Lan ")
    service = await asking.told("service", path, {"limit": 200})
    assert {line["kind"] for line in service["lines"]} == {"text", "log"}
    detail = await asking.told("lan", f"/conversations/{one.id}")
    assert [line["position"] for line in detail["history"]] == list(range(39, 0, -3))
    wrongs: tuple[Asked, ...] = (
        {"before": 1, "after": 2},
        {"before": -1},
        {"limit": 201},
        {"after": 2**31},
    )
    for wrong in wrongs:
        assert (await asking.get("lan", path, wrong)).status_code == httpx.codes.UNPROCESSABLE_ENTITY


async def test_people_see_the_pages_rules_and_agents_that_concern_them(asking: Asking, filled: str) -> None:
    writer = await asyncpg.connect(filled)
    await writer.execute(
        "INSERT INTO desk_presence VALUES ('shop', 'main', 'minh', 'online', 1, '{}', now()),"
        " ('rival', 'main', 'minh', 'away', 1, '{}', now())"
    )
    await writer.close()
    seen = {
        who: (
            {one["page"]["id"] for one in await asking.told(who, "/pages")},
            [(one["desk"], one["rule"]["id"]) for one in await asking.told(who, "/rules")],
            {one["agent"]["id"] for one in await asking.told(who, "/agents")},
        )
        for who in ("lan", "minh", "ha", "xa", "chu", "stranger")
    }
    main = {agent for agent, desk in AGENTS.items() if desk == "main"}
    first, second, third = ("main", "first"), ("main", "second"), ("second", "first")
    assert seen == {
        "lan": ({"messenger:1"}, [first], main),
        "minh": ({"messenger:1", "zalo:2"}, [first, second], main),
        "ha": ({"messenger:1"}, [first], main),
        "xa": ({"zalo:3"}, [third], {"xa"}),
        "chu": (set(PAGES), [first, second, third], set(AGENTS)),
        "stranger": (set(), [], set()),
    }
    (minh,) = (one for one in await asking.told("lan", "/agents") if one["agent"]["id"] == "minh")
    assert minh["presence"] == "online"
    assert minh["load"] > 0


async def test_silent_sessions_of_an_agent_are_told_beside_his_load(asking: Asking, filled: str) -> None:
    async def seen() -> tuple[int, int]:
        (minh,) = (one for one in await asking.told("lan", "/agents") if one["agent"]["id"] == "minh")
        return minh["load"], minh["silent"]

    load, silent = await seen()
    writer = await asyncpg.connect(filled)
    await writer.execute(
        "UPDATE desk_conversation SET silent = true WHERE conversation_id = (SELECT conversation_id"
        " FROM desk_conversation WHERE workspace_id = 'shop' AND desk_id = 'main' AND holder = 'minh'"
        " AND session_open AND NOT silent AND NOT blocked LIMIT 1)"
    )
    await writer.close()
    assert await seen() == (load - 1, silent + 1)


@pytest.mark.parametrize(
    "asked",
    [
        {"bucket": "theirs"},
        {"limit": 101},
        {"after": "nonsense"},
        {"after": "AAAA"},
        {"q": ""},
        {"q": "a\0"},
        {"care": "won"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"more": 1},
    ],
)
async def test_what_makes_no_sense_is_refused(asking: Asking, asked: Asked) -> None:
    answer = await asking.get("lan", "/conversations", asked)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.json()["code"] == "invalid"


async def test_nothing_can_be_written_here(asking: Asking) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await asking.queries.pool.execute("DELETE FROM customer")
