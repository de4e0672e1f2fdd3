"""What is read from the channels' APIs: places (pure), and everything over HTTP to played platforms."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from config.settings import Settings
from schemas.ids import conversation_id
from schemas.outbound import LookUp
from tests.delivery.ground import OA, ONE, TWO, Ground, ground
from tests.waiting import eventually
from workers.channels.delivery.result import Failed, Means
from workers.channels.reading import errand_rows, fetches, runner
from workers.channels.reading.errand_rows import Errand, Rates
from workers.channels.reading.errands import Errands
from workers.channels.reading.place import Place, Thread, from_json, to_json
from workers.channels.reading.reader import Access, Found
from workers.local.simulator.platform.past import PastMessage, Person

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
LAN = Person("Trần Thị Lan", "https://cdn.example/lan.jpg", "84912345678")


class TestAPlace:
    def test_goes_through_the_list_and_each_conversation(self) -> None:
        place = Place(0, 9)
        assert not place.is_end
        place = place.listed((Thread("t1", "u1"), Thread("t2", "u2")), "more")
        place = place.turned(25, "next")
        assert (place.threads[0].id, place.after, place.read) == ("t1", "next", 25)
        place = place.turned(3, None)
        assert (place.threads[0].id, place.after, place.read) == ("t2", "", 0)
        place = place.turned(0, None)
        assert (place.is_end, place.list_after) == (False, "more")
        assert place.listed((), None).is_end

    def test_is_the_same_after_it_was_stored(self) -> None:
        place = Place(1, 9, "u").listed((Thread("t1", "u1", "Lan"),), "more").turned(5, "next")
        assert from_json(orjson.loads(orjson.dumps(to_json(place)))) == place

    def test_wants_neither_what_is_too_old_nor_what_may_still_come_by_webhook(self) -> None:
        assert [Place(5, 9).has(at_ms) for at_ms in (4, 5, 9, 10)] == [False, True, True, False]


ALL = Place(0, 9).listed((Thread("t1", "u1"),), None)
HIS = Place(0, 9, "u1").listed((Thread("t1", "u1"),), None)


@pytest.mark.parametrize(
    ("means", "place", "failures", "step"),
    [
        ("again", ALL, 2, "again"),
        ("again", ALL, 3, "leave_out"),
        ("again", HIS, 3, "end"),
        ("again", Place(0, 9), 3, "end"),
        ("refused", ALL, 0, "leave_out"),
        ("refused", HIS, 0, "end"),
        ("refused", Place(0, 9), 0, "end"),
        ("refused", None, 0, "end"),
        ("slow_down", ALL, 9, "again"),
        ("slow_down", HIS, 3, "end"),
        ("token", ALL, 2, "again"),
        ("token", ALL, 3, "end"),
        ("stop", ALL, 0, "end"),
    ],
)
def test_what_follows_from_a_failure(means: Means, place: Place | None, failures: int, step: str) -> None:
    user = "" if place is None else place.user
    errand = Errand("acme", ONE, user, "history", place, 1, failures, datetime.now(UTC), None, b"", 1, False)
    assert runner.next_step(errand, Failed(means, "rejected"), 4) == step


def past(field: Ground) -> None:
    """What was said before: more than a page of it with one customer of the first page."""
    now_ms = time.time_ns() // 1_000_000
    for account in (field.one, field.oa):
        account.past.rate_per_s = 1_000
        account.past.people |= {"u1": LAN, "u2": Person("Minh")}
        account.past.messages += [
            PastMessage(
                f"{account.id}-{number}", "u1", now_ms - number * HOUR_MS, f"số {number}", number % 3 == 0
            )
            for number in range(1, 61)
        ]
        account.past.messages += [
            PastMessage(f"{account.id}-pic", "u2", now_ms - DAY_MS, None, False, "https://cdn.example/a.jpg"),
            PastMessage(f"{account.id}-old", "u2", now_ms - 800 * DAY_MS, "năm kia"),
        ]


async def inbound(settings: Settings, topic: str) -> list[dict[str, Any]]:
    """All that lies there."""
    options = settings.kafka.client_options()
    async with AIOKafkaConsumer(topic, **options, auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[dict[str, Any]] = []
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [orjson.loads(record.value) for record in records]
        return found


def mids(found: list[dict[str, Any]], account: str, user: str) -> list[str]:
    """The distinct messages of one conversation, the newest first."""
    said = {
        each["channel_message_id"]: each["sent_at_ms"]
        for each in found
        if (each["account"], each["user"]) == (account, user) and each.get("history")
    }
    return sorted(said, key=lambda mid: -said[mid])


@pytest.mark.servers
async def test_customers_and_older_messages_are_read_once_within_limits_and_after_a_kill(
    settings: Settings, topics: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = settings.postgres.dsn.get_secret_value()
    limits = {"history_days": 365.0, "messenger_read_rate_per_s": 200.0, "zalo_read_rate_per_s": 200.0}
    async with ground(dsn, **limits) as field:
        past(field)
        field.settings = field.settings.model_copy(update={"kafka": settings.kafka})
        database = field.database

        async def stands(page: str, user: str, what: str = "history") -> tuple[str, str | None]:
            names = "workspace_id = 'acme' AND page_id = $1 AND user_id = $2 AND what = $3"
            row = await database.fetchrow(
                f"SELECT state, reason FROM delivery_errand WHERE {names}",
                page,
                user,
                what,
            )
            return tuple(row)

        async def until(page: str, user: str, *expected: str | None, what: str = "history") -> None:
            async def is_so() -> bool:
                return await stands(page, user, what) == expected

            await eventually(is_so, f"{what} of {page} {user} is {expected}")

        # Sessions begin: each customer is looked up once, however often that is asked for.
        for page, user in ((ONE, "u1"), (ONE, "u1"), (OA, "u1"), (ONE, "stranger"), (ONE, "../me")):
            await field.handle(_look_up(page, user))
        await fetches.start(database, "acme", ONE, "u1", "agent:acme/lan")
        await fetches.start(database, "acme", TWO, "", "cli:ops")
        stopped = await fetches.stop(database, "acme", TWO, "")
        assert stopped is not None
        assert stopped.state == "stopped"
        # A worker is killed when its first page of messages is on Kafka, and nothing is written of it.
        killed = asyncio.Event()
        publish = runner._publish

        async def publish_and_die(*args: Any) -> bool:  # noqa: ANN401
            done = await publish(*args)
            if args[1].what == "history" and args[2]:
                killed.set()
                await asyncio.Event().wait()
            return done

        monkeypatch.setattr(runner, "_publish", publish_and_die)
        first = asyncio.create_task(Errands(field.settings, field.vault).run())
        await asyncio.wait_for(killed.wait(), 60)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        monkeypatch.setattr(runner, "_publish", publish)
        await database.execute("UPDATE delivery_errand SET due_at = now() WHERE state = 'waiting'")
        # Its pages' APIs fail for a while: it is tried again.
        field.one.past.faults.append({"message": "busy", "code": 2})
        field.oa.past.faults.append({"error": -32, "message": "limit"})
        await fetches.start(database, "acme", OA, "", "agent:acme/ha")
        tasks = [asyncio.create_task(Errands(field.settings, field.vault).run()) for _ in range(2)]
        try:
            await until(ONE, "u1", "done", None)
            await until(OA, "", "done", None)
            await until(ONE, "u1", "done", None, what="profile")
            await until(OA, "u1", "done", None, what="profile")
            await until(ONE, "stranger", "failed", "rejected", what="profile")
            await until(ONE, "../me", "failed", "unreachable", what="profile")
            # A broken token that nothing can be exchanged for is tried again and again, and then no more.
            field.one.token = "another one"
            await fetches.start(database, "acme", ONE, "", "agent:acme/ha")
            await until(ONE, "", "failed", "token_broken")
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(each) for each in ended} == {asyncio.CancelledError}, ended
        found = await inbound(field.settings, topics["inbound"])
        # Younger than two hours: that is left to the webhook.
        for account in ("100", "300"):
            assert mids(found, account, "u1") == [f"{account}-{number}" for number in range(2, 61)], account
        assert mids(found, "300", "u2") == ["300-pic"], "what is too old is left"
        assert mids(found, "100", "u2") == [], "nobody has asked for it"
        told = {(each["account"], each["user"]): each for each in found if not each.get("history")}
        assert told.keys() == {("100", "u1"), ("300", "u1")}
        assert {each["customer_name"] for each in told.values()} == {"Trần Thị Lan"}
        shared = told["300", "u1"]
        assert (shared["phone"], shared["phone_verified"], shared["follows"]) == ("84912345678", True, True)
        echo = next(each for each in found if each.get("channel_message_id") == "100-3")
        assert (echo["author"], echo["customer_name"]) == ("human", "Trần Thị Lan")
        assert field.one.past.calls.count("profile") == 2, "the same customer is not asked for twice"
        # Asked again soon, he is known; asked again later, he is looked up.
        await field.handle(_look_up(ONE, "u1"))
        assert await stands(ONE, "u1", "profile") == ("done", None)
        await database.execute("UPDATE delivery_errand SET changed_at = now() - interval '8 days'")
        await field.handle(_look_up(ONE, "u1"))
        assert await stands(ONE, "u1", "profile") == ("waiting", None)


@pytest.mark.servers
async def test_calls_for_one_page_are_as_far_apart_as_its_rate_says_however_many_workers(
    database: str,
) -> None:
    async with ground(database) as field:
        rates, lease = Rates({"messenger": 0.02, "zalo": 0.02}, {}), timedelta(seconds=30)
        for page, user in ((ONE, "u1"), (ONE, "u2"), (OA, "u1")):
            await field.handle(_look_up(page, user))
        await fetches.start(field.database, "acme", ONE, "u1", "cli:ops")

        async def claimed() -> list[tuple[str, str]]:
            return sorted(
                (one.page, one.what) for one in await errand_rows.claim(field.database, 9, rates, lease)
            )

        both = await asyncio.gather(claimed(), claimed())
        assert sorted(both[0] + both[1]) == [(ONE, "profile"), (OA, "profile")]
        assert await claimed() == [], "not within fifty seconds"
        await field.database.execute("UPDATE delivery_page SET read_at = now() - interval '1 millisecond'")
        assert await claimed() == [(ONE, "profile")], "customers go first"
        await field.database.execute("UPDATE delivery_page SET read_at = now(), paused = 'token_broken'")
        assert await claimed() == [], "a page that is paused is not read"


class Picky:
    """A reader of whose four conversations the channel does not give two."""

    channel = "messenger"

    def __init__(self) -> None:
        self.no_token = False

    async def profile(self, access: Access, user: str) -> Failed:
        return Failed("refused", "rejected")

    async def history(self, access: Access, place: Place) -> Found | Failed:
        if self.no_token:
            return Failed("stop", "permission_missing")
        if not place.threads:
            return Found((), place.listed(tuple(Thread(f"t{one}", f"u{one}") for one in range(4)), None))
        if place.threads[0].id == "t1":
            return Failed("refused", "rejected")
        if place.threads[0].id == "t2":
            return Failed("again", "channel_down")
        return Found((), place.turned(1, None))


@pytest.mark.servers
async def test_a_conversation_that_the_channel_does_not_give_ends_not_the_history_of_its_page(
    database: str,
) -> None:
    class Publisher:
        async def publish(self, _records: object) -> None:
            return

    async with ground(database) as field:
        reader = Picky()
        readers: Any = {"messenger": reader}
        publisher: Any = Publisher()
        means = runner.Means(field.settings, field.database, readers, field.vault, publisher)

        async def read_on(times: int) -> tuple[str, str | None, int]:
            for _ in range(times):
                await field.database.execute("UPDATE delivery_errand SET due_at = now()")
                await field.database.execute("UPDATE delivery_page SET read_at = NULL")
                lease = timedelta(seconds=30)
                (errand,) = await errand_rows.claim(field.database, 1, Rates({"messenger": 1.0}, {}), lease)
                await runner.run(means, errand)
            found = await fetches.read(field.database, "acme", ONE, "")
            assert found is not None
            return found.state, found.reason, found.left_out

        await fetches.start(field.database, "acme", ONE, "", "cli:ops")
        assert await read_on(3) == ("waiting", None, 1), "the list, the first, and one that is refused"
        assert await read_on(3) == ("waiting", "channel_down", 1), "it may pass"
        assert await read_on(1) == ("waiting", None, 2), "it was tried often enough"
        assert await read_on(1) == ("done", None, 2)
        await fetches.start(field.database, "acme", ONE, "", "cli:ops")
        assert await read_on(1) == ("waiting", None, 0)
        reader.no_token = True
        assert await read_on(1) == ("failed", "permission_missing", 0)


PAGES_OF_AN_APP = """
INSERT INTO delivery_page (page_id, workspace_id, app, access_token)
SELECT 'zalo:9' || n, 'acme', 'many', '' FROM generate_series(1, 40) n;
INSERT INTO delivery_errand (workspace_id, page_id, user_id, what, state, due_at, asked_at, changed_at)
SELECT 'acme', 'zalo:9' || n, 'u', 'profile', 'waiting', now(), now(), now() FROM generate_series(1, 40) n;
INSERT INTO delivery_app (app, tokens, counted_at) VALUES ('zalo:many', 4, now() + interval '1 hour')
"""


@pytest.mark.servers
async def test_pages_of_one_app_are_read_within_its_rate_and_leave_half_of_it_to_answers(
    database: str,
) -> None:
    async with ground(database) as field:
        await field.database.execute(PAGES_OF_AN_APP)
        rates, lease = Rates({"zalo": 2.0}, {"zalo": 12.0}), timedelta(seconds=30)

        async def claimed(tokens: float | None) -> int:
            await field.database.execute("UPDATE delivery_app SET tokens = $1", tokens)
            await field.database.execute("UPDATE delivery_page SET read_at = NULL")
            await field.database.execute("UPDATE delivery_errand SET due_at = now()")
            return len(await errand_rows.claim(field.database, 20, rates, lease))

        async def left() -> float:
            return float(await field.database.fetchval("SELECT tokens FROM delivery_app"))

        assert (await claimed(6.9), await left()) == (0, 6.9)
        assert (await claimed(9.5), await left()) == (3, 6.5), "each call counts"
        assert await claimed(None) == 6, "nothing was counted yet: all of a second's worth is there"
        await field.database.execute("UPDATE delivery_app SET counted_at = now() - interval '1 hour'")
        assert (await claimed(-30.0), await left()) == (6, 6.0), "what has come meanwhile is counted, too"
        await field.database.execute("DELETE FROM delivery_app")
        assert (await claimed(0), await left()) == (6, 6.0), "an app of which nothing is known yet"
        # Others are read, though more pages of this app are due than are taken at once.
        await field.handle(_look_up(OA, "u1"))
        assert await claimed(0.0) == 1


@pytest.mark.servers
async def test_who_reads_for_a_fetch_that_was_stopped_changes_nothing_of_the_next(database: str) -> None:
    async with ground(database) as field:
        rates, lease = Rates({"messenger": 2.0}, {}), timedelta(seconds=30)
        await fetches.start(field.database, "acme", ONE, "", "cli:ops")
        (errand,) = await errand_rows.claim(field.database, 9, rates, lease)
        await fetches.stop(field.database, "acme", ONE, "")
        await fetches.start(field.database, "acme", ONE, "", "cli:ops")
        assert not await errand_rows.go_on(field.database, errand, Place(0, 9, list_after="far"), 5)
        found = await fetches.read(field.database, "acme", ONE, "")
        assert found is not None
        assert (found.state, found.found) == ("waiting", 0)


def _look_up(page: str, user: str) -> LookUp:
    key = f"{page}:{user}"
    return LookUp(
        workspace="acme",
        desk="main",
        conversation=conversation_id(key),
        key=key,
        page=page,
        at=datetime.now(UTC),
    )
