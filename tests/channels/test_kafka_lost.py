"""When Kafka does not answer, the platform is told so in time, and nothing is pretended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.structs import ConsumerRecord

from config.errors import DependencyError
from config.settings import Settings
from config.topics import INBOUND
from config.topics_apply import TopicsError, apply_topics
from tests.channels.conftest import drain, running, until_ready, with_ingress
from tests.channels.traffic import messages, simulator
from tests.channels.webhooks import Signed, messenger, said
from workers.channels.producer import start_producer
from workers.channels.shedding import RETRY_AFTER_S, WAIT_MAX_S
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import quick_start_options

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PATH = "/v1/webhooks/messenger"
SOON_S = 20.0
"""Before aiokafka gives up by itself; how long is waited is a setting, which is below what Zalo allows."""
KILLED_AFTER_S = 30.0
"""So long Kubernetes lets a process stop."""
PROBE_S = 0.1
DEADLINE_S = 90.0


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A Kafka of these tests' own, to be broken."""
    creates = {"auto.create.topics.enable": "true"}  # as on clusters of other people
    folder = tmp_path_factory.mktemp("kafka")
    broker = EmbeddedKafka(folder, overrides=creates, java_options=quick_start_options())
    asyncio.run(broker.start())
    yield broker
    asyncio.run(broker.stop())


@pytest.fixture
async def settings(kafka: EmbeddedKafka, topic_prefix: str) -> Settings:
    """An ingress of that Kafka, with topics of this test's own."""
    servers = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "topic_prefix": topic_prefix,
        "conversation_partitions": 2,
        "desk_partitions": 1,
    }
    found = with_ingress(Settings.model_validate({"kafka": servers}))
    async with asyncio.timeout(DEADLINE_S):
        while not await applied(found):
            pass
    return found


async def test_a_topic_that_is_missing_is_told_and_not_made(
    kafka: EmbeddedKafka, kafka_settings: Settings
) -> None:
    own = kafka_settings.kafka.model_copy(update={"bootstrap_servers": kafka.bootstrap_servers})
    names = ["missing.inbound.v1", "missing.deadletter.v1"]
    with pytest.raises(
        UnknownTopicOrPartitionError, match=r"missing\.inbound\.v1: run `tongdai topics apply`"
    ):
        await start_producer(own, names, DEADLINE_S)
    admin = AIOKafkaAdminClient(**own.client_options())
    await admin.start()
    try:
        assert not set(names) & set(await admin.list_topics())
    finally:
        await admin.close()


async def applied(settings: Settings) -> bool:
    """Whether the topics are there; right after a freeze the broker makes none, or knows no broker."""
    try:
        return (await apply_topics(settings)).usable
    except (TopicsError, DependencyError):
        return False


@contextmanager
def frozen(kafka: EmbeddedKafka) -> Iterator[None]:
    """Meanwhile the broker accepts connections, and answers nothing."""
    os.kill(kafka.pid, signal.SIGSTOP)
    try:
        while not _stands(kafka.pid):
            os.sched_yield()
        yield
    finally:
        os.kill(kafka.pid, signal.SIGCONT)


def _stands(pid: int) -> bool:
    """Whether all threads are stopped: those that run go on for a moment, and some end in it."""
    try:
        states = [each.read_text(encoding="utf-8") for each in Path(f"/proc/{pid}/task").glob("*/stat")]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return all(state.rpartition(")")[2].split()[0] == "T" for state in states)


async def post(client: httpx.AsyncClient, signed: Signed) -> httpx.Response:
    return await client.post(PATH, content=signed.body, headers=signed.headers)


def assert_told_to_come_back(response: httpx.Response) -> None:
    assert response.status_code == 503
    # On a machine that stood still meanwhile he is sent away before anything is tried.
    assert response.json()["type"] in {
        "urn:tongdai:problem:unpublished",
        "urn:tongdai:problem:overloaded",
    }
    assert int(response.headers["retry-after"]) >= 1


async def sent_away(
    client: httpx.AsyncClient, posting: asyncio.Future[list[httpx.Response]]
) -> list[httpx.Response]:
    """Post again and again while others wait for Kafka; the answers to those who are sent away."""
    probes = []
    while not posting.done():
        probes.append(asyncio.create_task(post(client, messenger(said("later")))))
        await asyncio.wait([posting], timeout=PROBE_S)
    answers = await asyncio.gather(*probes)
    return [one for one in answers if one.json()["type"] == "urn:tongdai:problem:overloaded"]


async def post_until_taken(client: httpx.AsyncClient, signed: Signed) -> None:
    """As a platform does: again and again, until it is answered 200."""
    async with asyncio.timeout(DEADLINE_S):
        while (await post(client, signed)).status_code != 200:
            await until_ready(client)


async def until(client: httpx.AsyncClient, reached: Callable[[], bool]) -> None:
    """Return once it is so; the ingress answers meanwhile."""
    async with asyncio.timeout(DEADLINE_S):
        while not reached():
            assert (await client.get("/healthz")).status_code == 200


async def inbound(settings: Settings) -> list[ConsumerRecord[bytes, bytes]]:
    """All that is on inbound."""
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka.bootstrap_servers) as consumer:
        return await drain(consumer, INBOUND.full_name(settings.kafka.topic_prefix))


async def mids(settings: Settings) -> list[str]:
    return [orjson.loads(record.value)["channel_message_id"] for record in await inbound(settings)]


async def test_without_kafka_the_ingress_lives_but_is_not_ready(kafkaless: httpx.AsyncClient) -> None:
    assert (await kafkaless.get("/healthz")).status_code == 200
    ready = await kafkaless.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
    assert_told_to_come_back(await post(kafkaless, messenger(said())))
    assert (await post(kafkaless, Signed(b"{}", {}))).status_code == 403


async def test_a_frozen_broker_is_noticed_in_time_and_its_return_too(
    kafka: EmbeddedKafka, settings: Settings
) -> None:
    ids = [f"m_{each}" for each in range(5)]
    async with running(settings, WAIT_MAX_S) as client:
        await until_ready(client)
        await post_until_taken(client, messenger(said("before")))
        refused: list[httpx.Response] = []
        while not refused:  # of who waits for Kafka there may be none, where everything stands still for long
            await until_ready(client)
            with frozen(kafka):
                async with asyncio.timeout(SOON_S):
                    posting = asyncio.gather(*(post(client, messenger(said(each))) for each in ids))
                    refused = await sent_away(client, posting)
                    answers = await posting
                assert_told_to_come_back(await post(client, messenger(said("later"))))
                assert (await client.get("/readyz")).status_code == 503
            for answer in answers:
                assert_told_to_come_back(answer)
        assert all(int(one.headers["retry-after"]) in RETRY_AFTER_S for one in refused)
        for each in ids:
            await post_until_taken(client, messenger(said(each)))
    assert set(await mids(settings)) - {"later"} == {"before", *ids}


async def test_a_killed_broker_is_survived_and_what_was_answered_200_is_kept(
    kafka: EmbeddedKafka, settings: Settings
) -> None:
    async with running(settings) as client:
        await until_ready(client)
        await post_until_taken(client, messenger(said("before")))
        await kafka.kill()
        try:
            assert_told_to_come_back(await post(client, messenger(said("after"))))
        finally:
            await kafka.start()
        await post_until_taken(client, messenger(said("after")))
    assert set(await mids(settings)) == {"before", "after"}


async def test_the_ingress_stops_in_time_although_kafka_is_gone(
    kafka: EmbeddedKafka, settings: Settings
) -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(None) as stopping, running(settings) as client:
        await until_ready(client)
        stack.enter_context(frozen(kafka))
        assert_told_to_come_back(await post(client, messenger(said())))
        stopping.reschedule(asyncio.get_running_loop().time() + KILLED_AFTER_S)


async def test_nothing_is_lost_of_traffic_that_meets_a_frozen_broker(
    kafka: EmbeddedKafka, settings: Settings
) -> None:
    async with running(settings) as client:
        await until_ready(client)
        play = simulator(str(client.base_url), rate_per_s=200)
        traffic = asyncio.create_task(play.run(messages=500))
        await until(client, lambda: play.ledger.count_accepted() > 100)
        with frozen(kafka):
            await until(client, lambda: play.ledger.answers["503"] > 0)
        ledger = await traffic
    assert ledger.count_accepted() == ledger.count_posted() >= 500
    assert messages(await inbound(settings)) == ledger.accepted_by_conversation()
