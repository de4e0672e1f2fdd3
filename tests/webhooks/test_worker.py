"""Events reach receivers: in order, signed, of their own workspace, again when they were refused."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.partitioner import murmur2

from config.settings import Settings
from tests.conftest import CONVERSATION_PARTITIONS
from tests.waiting import until
from tests.webhooks.ground import (
    KEYS,
    SHOP,
    STORED,
    Receiver,
    add,
    connected,
    process,
    publish,
    with_webhooks,
    working,
)
from workers.cli.webhooks_command import send_test
from workers.webhooks.administering import Webhooks
from workers.webhooks.journal import UNSTORED_MAX

pytestmark = pytest.mark.servers

KEYS_OF_CUSTOMERS = [f"messenger:1:u{number}" for number in range(6)]


async def test_each_event_of_its_workspace_is_told_in_order_signed_and_once(
    settings: Settings, topics: dict[str, str]
) -> None:
    quick = with_webhooks(settings, request_timeout_s=20.0, lease_s=60.0)
    for key in KEYS_OF_CUSTOMERS:
        await publish(quick, topics["assignments"], range(20), key=key)
    await publish(quick, topics["assignments"], range(5), key="messenger:2:u1", workspace="other")
    await publish(quick, topics["messages"], [100], key="messenger:1:u9", kind=STORED, data={"kind": "note"})
    async with Receiver().listening() as receiver, working(quick):
        receiver.secrets = [await add(quick, "crm", receiver.url)]
        await receiver.until(lambda: len(receiver.seen) == 120)
        # What comes from now on comes by the feed; that every session with Postgres ends delays it at most.
        async with connected(quick) as database:
            await database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'tongdai webhooks' AND datname = current_database()"
            )
        for key in KEYS_OF_CUSTOMERS:
            await publish(quick, topics["assignments"], range(20, 25), key=key)
        await publish(
            quick, topics["messages"], [101], key="messenger:1:u9", kind=STORED, data={"kind": "text"}
        )
        await receiver.until(lambda: len(receiver.seen) >= 151)
        assert len({id_ for id_, _ in receiver.seen}) == len(receiver.seen) == 151
        for key in KEYS_OF_CUSTOMERS:
            assert receiver.values(key) == list(range(25))
        assert {event["data"]["workspace"] for _, event in receiver.seen} == {SHOP}
        id_, event = receiver.seen[0]
        assert (event["id"], event["specversion"]) == (id_, "1.0")
        assert event["type"] == "tongdai.assignments.assigned.v1"
        assert event["dataschema"] == "urn:tongdai:assignments:assigned:v1"


async def test_an_endpoint_that_hangs_and_one_that_refuses_delay_nobody_else(
    settings: Settings, topics: dict[str, str]
) -> None:
    quick = with_webhooks(settings)
    bad = KEYS_OF_CUSTOMERS[0]
    beside = [key for key in KEYS_OF_CUSTOMERS if _partition(key) != _partition(bad)]
    hangs, refuses, well = Receiver(), Receiver(lambda event: _unless(event, bad, 3)), Receiver()
    hangs.held = asyncio.Event()
    async with hangs.listening(), refuses.listening(), well.listening(), working(quick):
        for name, receiver in (("hangs", hangs), ("refuses", refuses), ("well", well)):
            receiver.secrets = [await add(quick, name, receiver.url)]
        for key in KEYS_OF_CUSTOMERS:
            await publish(quick, topics["assignments"], range(10), key=key)
        await well.until(lambda: len(well.seen) == 60)
        assert not hangs.seen
        # An event that is refused holds back its own partition, and nothing else.
        await refuses.until(lambda: all(refuses.values(key) == list(range(10)) for key in beside))
        await refuses.until(lambda: refuses.refused > 2)
        assert refuses.values(bad) == [0, 1, 2]
        async with connected(quick) as database:
            await until(database, "SELECT FROM webhook_stuck WHERE endpoint_id = 'refuses'")
            await until(database, "SELECT FROM webhook_endpoint WHERE endpoint_id = 'hangs' AND failures > 0")
            webhooks = Webhooks(quick, KEYS)
            slow = await webhooks.one(database, SHOP, "hangs")
            assert (slow.state, slow.delivered_at) == ("active", None)
            (attempt, *_) = await webhooks.attempts(database, SHOP, "hangs", 10)
            assert (attempt.status, attempt.error) == (None, "no answer in time")
            (stuck,) = (await webhooks.one(database, SHOP, "refuses")).stuck
            assert (stuck.topic, stuck.partition) == ("assignments", _partition(bad))
        # Nothing was lost: it all comes, in order, once they take it.
        hangs.held.set()
        refuses.answers = lambda _: 200
        for receiver in (hangs, refuses):
            await receiver.until_told(60)
            assert all(receiver.values(key) == list(range(10)) for key in KEYS_OF_CUSTOMERS)


def _partition(key: str) -> int:
    hashed: int = murmur2(key.encode()) & 0x7FFFFFFF
    return hashed % CONVERSATION_PARTITIONS


def _unless(event: dict[str, Any], key: str, number: int) -> int:
    return 500 if (event["partitionkey"], event["data"].get("n")) == (key, number) else 200


async def test_workers_that_freeze_and_die_leave_no_gap_and_never_go_back(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    quick = with_webhooks(settings)
    async with Receiver().listening() as receiver, connected(quick) as database:
        receiver.secrets = [await add(quick, "crm", receiver.url)]
        for key in KEYS_OF_CUSTOMERS:
            await publish(quick, topics["assignments"], range(200), key=key)
        async with process(quick, tmp_path) as first:
            await receiver.until(lambda: len(receiver.seen) >= 50)
            first.send_signal(signal.SIGSTOP)
            before = len({id_ for id_, _ in receiver.seen})
            async with process(quick, tmp_path) as second:
                await receiver.until(lambda: len({id_ for id_, _ in receiver.seen}) >= before + 100)
                second.kill()
                await second.wait()
            between = len({id_ for id_, _ in receiver.seen})
            first.send_signal(signal.SIGCONT)
            await receiver.until_told(1_200)
            assert between < 1_200, "it was too fast to be killed in the middle"
            await until(database, "SELECT FROM webhook_endpoint WHERE behind = 0")
        for key in KEYS_OF_CUSTOMERS:
            assert receiver.values(key) == list(range(200))
        # Twice there came again what was under way or not stored yet, and no more.
        again = len(receiver.seen) - 1_200
        assert again <= 2 * (UNSTORED_MAX + quick.webhooks.parallel_max)


async def test_workers_share_endpoints_and_one_that_stops_hands_them_over(
    settings: Settings, topics: dict[str, str]
) -> None:
    quick = with_webhooks(settings, lease_s=60.0)
    async with Receiver().listening() as receiver, connected(quick) as database:
        for number in range(4):
            await add(quick, f"crm-{number}", receiver.url)
        owners = "SELECT FROM webhook_endpoint GROUP BY owner HAVING owner IS NOT NULL AND count(*) = $1"
        async with working(quick):
            await until(database, owners, 4)
            async with working(quick):
                await until(database, f"SELECT FROM ({owners}) AS halves HAVING count(*) = 2", 2)
                await publish(quick, topics["assignments"], range(5))
                await receiver.until(lambda: len(receiver.seen) == 20)
            # No lease had to run out: that takes a minute.
            await until(database, owners, 4)
            await publish(quick, topics["assignments"], range(5, 7))
            await receiver.until(lambda: len(receiver.seen) == 28)
        assert await database.fetchval("SELECT count(*) FROM webhook_endpoint WHERE owner IS NOT NULL") == 0
        assert await database.fetchval("SELECT count(*) FROM webhook_worker") == 0


async def test_what_admins_ask_takes_effect(settings: Settings, topics: dict[str, str]) -> None:
    quick, webhooks = with_webhooks(settings), Webhooks(with_webhooks(settings), KEYS)
    await publish(quick, topics["assignments"], range(5))
    async with Receiver().listening() as receiver, working(quick), connected(quick) as database:
        old = await add(quick, "crm", receiver.url, **{"from": "now"})
        receiver.secrets = [old]
        await until(database, "SELECT FROM webhook_position WHERE endpoint_id = 'crm'")
        await publish(quick, topics["assignments"], range(5, 8))
        await receiver.until(lambda: receiver.values() == [5, 6, 7])

        # Replayed from an offset: numbers are offsets here, for there is one key.
        place = "SELECT partition FROM webhook_attempt WHERE partition IS NOT NULL LIMIT 1"
        await until(database, place)
        partition = await database.fetchval(place)
        await webhooks.replay(database, SHOP, "crm", {"assignments": {partition: 3}})
        await receiver.until(lambda: receiver.values() == [5, 6, 7, 3, 4])
        await receiver.until(lambda: len(receiver.seen) >= 8)

        # Rotated: both secrets sign, then only the new one.
        new = (await webhooks.rotate(database, SHOP, "crm")).secret
        assert new != old
        receiver.secrets = []
        await until(
            database, "SELECT FROM webhook_endpoint WHERE owner IS NOT NULL AND former_salt IS NOT NULL"
        )
        receiver.secrets = [old, new]
        await publish(quick, topics["assignments"], [8])
        await receiver.until(lambda: 8 in receiver.values())
        receiver.secrets = [new]

        # Paused: nothing comes, but for a test; resumed: all that is missing.
        await webhooks.pause(database, SHOP, "crm", "cli:test")
        await until(database, "SELECT FROM webhook_endpoint WHERE owner IS NULL")
        await publish(quick, topics["assignments"], [9])
        told = await send_test(webhooks, database, SHOP, "crm")
        assert told is not None
        assert (told.status, told.error) == (204, None)
        assert receiver.seen[-1][1]["type"] == "tongdai.webhooks.test.v1"
        await until(database, "SELECT FROM webhook_endpoint WHERE owner IS NULL AND NOT test_asked")
        assert 9 not in receiver.values()
        await webhooks.resume(database, SHOP, "crm")
        await receiver.until(lambda: 9 in receiver.values())
        await until(database, "SELECT FROM webhook_endpoint WHERE behind = 0 AND delivered_at IS NOT NULL")

        await webhooks.remove(database, SHOP, "crm")
        assert await database.fetchval("SELECT count(*) FROM webhook_position") == 0


async def test_gone_disables_and_giving_up_pauses_at_its_place(
    settings: Settings, topics: dict[str, str]
) -> None:
    quick = with_webhooks(settings, give_up_s=1.0)
    gone, down = (
        Receiver(lambda _: 410),
        Receiver(lambda _: web.Response(status=503, headers={"retry-after": "0"})),
    )
    async with gone.listening(), down.listening(), working(quick), connected(quick) as database:
        await add(quick, "gone", gone.url)
        await add(quick, "down", down.url)
        await publish(quick, topics["assignments"], range(3))
        await until(
            database, "SELECT FROM webhook_endpoint WHERE endpoint_id = 'gone' AND state = 'disabled'"
        )
        await until(database, "SELECT FROM webhook_endpoint WHERE endpoint_id = 'down' AND state = 'paused'")
        webhooks = Webhooks(quick, KEYS)
        seen = await webhooks.one(database, SHOP, "down")
        assert "it was refused: 503" in seen.why
        down.answers = lambda _: 200
        await webhooks.resume(database, SHOP, "down")
        await down.until(lambda: down.values() == [0, 1, 2])


async def test_nothing_is_sent_to_an_inside_address(settings: Settings, topics: dict[str, str]) -> None:
    quick = with_webhooks(settings, allow_networks=[])
    async with Receiver().listening() as receiver, working(quick), connected(quick) as database:
        await add(quick, "inside", receiver.url.replace("127.0.0.1", "localhost"))
        await publish(quick, topics["assignments"], range(3))
        await until(database, "SELECT FROM webhook_attempt WHERE error LIKE '%no public address%'")
        assert (receiver.seen, receiver.refused) == ([], 0)


async def test_large_events_are_told_and_those_that_expired_are_named(
    settings: Settings, topics: dict[str, str]
) -> None:
    quick = with_webhooks(settings, buffer_bytes_max=1_048_576)
    await publish(quick, topics["messages"], range(20), kind=STORED, data={"text": "x" * 300_000})
    async with Receiver().listening() as receiver, connected(quick) as database:
        await add(quick, "crm", receiver.url, events=["messages"])
        # It stood at the beginning while its first records were still there.
        await database.execute("UPDATE webhook_endpoint SET start = NULL")
        await database.execute(
            "INSERT INTO webhook_position VALUES ('shop', 'crm', 'messages', array_fill(0, ARRAY[$1::int]))",
            CONVERSATION_PARTITIONS,
        )
        await _expire(quick, topics["messages"], 4)
        async with working(quick) as worker:
            await receiver.until(lambda: receiver.values() == list(range(4, 20)))
            await until(
                database, "SELECT FROM webhook_attempt WHERE event_type = 'expired' AND error LIKE '4 rec%'"
            )
            assert worker.status.problems() == []


async def _expire(settings: Settings, topic: str, before: int) -> None:
    """Have Kafka forget the first records of the default key's partition."""
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    await admin.start()
    partition = TopicPartition(topic, _partition("messenger:1:u1"))
    await admin.delete_records({partition: RecordsToDelete(before_offset=before)})
    await admin.close()
