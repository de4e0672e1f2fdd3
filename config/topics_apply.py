"""Makes the topics of the catalogue on a real Kafka: creates what is missing, changes nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from config.errors import DependencyError, TongdaiError
from config.kafka import KafkaSettings
from config.problem import variable
from config.settings import Settings
from config.topics import CATALOGUE, Topic
from config.topics_plan import Difference, TopicsPlan, TopicView, plan

LEADER_POLL_S = 0.05


class TopicsError(TongdaiError):
    """Kafka refused to create or describe a topic; the text names it and Kafka's reason."""


@dataclass(frozen=True)
class TopicsReport:
    """What `apply_topics` did, or with `dry_run` would have done; topics by their full names."""

    dry_run: bool
    created: tuple[str, ...]
    unchanged: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def usable(self) -> bool:
        """Whether workers can run on these topics."""
        return not any(difference.stops_workers for difference in self.differences)


async def apply_topics(settings: Settings, *, dry_run: bool = False) -> TopicsReport:
    """Create the topics that are missing and wait until they can be used; never delete, grow or alter one.

    Raises `DependencyError` when Kafka does not answer, `TopicsError` when it refuses.
    """
    kafka = settings.kafka
    async with _admin(settings) as admin:
        todo = plan(kafka, await read_topics(admin, kafka))
        if todo.missing and not dry_run:
            await _create(admin, kafka, todo.missing)
    return _report(todo, kafka, dry_run=dry_run)


def _report(todo: TopicsPlan, kafka: KafkaSettings, *, dry_run: bool) -> TopicsReport:
    created = tuple(topic.full_name(kafka.topic_prefix) for topic in todo.missing)
    return TopicsReport(dry_run, created, todo.unchanged, todo.differences)


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a started admin client; all that is done with it shares one deadline."""
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    deadline_s = settings.runtime.dependency_start_timeout_s
    try:
        async with asyncio.timeout(deadline_s):
            try:
                await admin.start()
                yield admin
            finally:
                await admin.close()
    except (KafkaError, TimeoutError) as error:
        raise DependencyError(_unreachable(settings.kafka, error, deadline_s)) from error


def _unreachable(kafka: KafkaSettings, error: Exception, deadline_s: float) -> str:
    if isinstance(error, KafkaConnectionError):
        what = "cannot be reached"
    elif isinstance(error, TimeoutError):
        what = f"did not answer within {deadline_s:g} s"
    else:
        what = f"failed: {error}"
    fields = ["bootstrap_servers", "security_protocol"]
    fields += ["ssl_cafile"] if kafka.uses_tls else []
    fields += ["sasl_username", "sasl_password"] if kafka.uses_sasl else []
    check = ", ".join(variable("kafka", field) for field in fields)
    return f"Kafka at {kafka.bootstrap_servers} {what}: check that it runs, and {check}"


async def read_topics(admin: AIOKafkaAdminClient, kafka: KafkaSettings) -> Mapping[str, TopicView]:
    """Return those topics of the catalogue that exist, by their full names."""
    ours = {topic.full_name(kafka.topic_prefix) for topic in CATALOGUE}
    # All topics are asked for rather than ours by name: asking for a missing one may create it.
    found = {
        topic["topic"]: topic["partitions"]
        for topic in await admin.describe_topics()
        if topic["topic"] in ours
    }
    configs = await _read_configs(admin, list(found))
    return {
        name: TopicView(len(partitions), min(len(part["replicas"]) for part in partitions), configs[name])
        for name, partitions in found.items()
        if partitions and name in configs
    }


async def _read_configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for code, reason, _, name, entries in response.resources:
            if code:
                raise TopicsError(f"Kafka does not describe {name}: {reason or for_code(code).__name__}")
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


async def _create(admin: AIOKafkaAdminClient, kafka: KafkaSettings, topics: tuple[Topic, ...]) -> None:
    response = await admin.create_topics([_new_topic(topic, kafka) for topic in topics])
    # Somebody else may be applying the same catalogue at this moment: "already exists" is as good.
    refused = {
        name: reason or for_code(code).__name__
        for name, code, reason in response.topic_errors
        if code not in {0, TopicAlreadyExistsError.errno}
    }
    if refused:
        reasons = "; ".join(sorted(set(refused.values())))
        raise TopicsError(f"Kafka does not create {', '.join(sorted(refused))}: {reasons}")
    await _wait_for_leaders(admin, {topic.full_name(kafka.topic_prefix) for topic in topics})


def _new_topic(topic: Topic, kafka: KafkaSettings) -> NewTopic:
    return NewTopic(
        topic.full_name(kafka.topic_prefix),
        num_partitions=topic.partitions(kafka),
        replication_factor=kafka.replication_factor,
        topic_configs=topic.configs(kafka),
    )


async def _wait_for_leaders(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Return once every partition has a leader; the deadline is the caller's."""
    while True:
        topics = await admin.describe_topics()
        if names <= {topic["topic"] for topic in topics if _has_leaders(topic)}:
            return
        await asyncio.sleep(LEADER_POLL_S)


def _has_leaders(topic: dict[str, Any]) -> bool:
    partitions = topic["partitions"]
    return bool(partitions) and all(partition["leader"] >= 0 for partition in partitions)
