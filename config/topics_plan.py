"""What the catalogue wants and what Kafka has, compared: nothing is asked or changed in here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.kafka import KafkaSettings
from config.problem import variable
from config.topics import CATALOGUE, Topic


@dataclass(frozen=True)
class TopicView:
    """A topic as Kafka has it."""

    partitions: int
    replication_factor: int
    configs: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One thing about an existing topic that is not as the catalogue says; it is told, never changed.

    `stops_workers` is set where workers would run wrongly with it.
    """

    topic: str
    what: str
    expected: str
    found: str
    advice: str
    stops_workers: bool = False

    def __str__(self) -> str:
        return f"{self.topic}: {self.what} is {self.found}, expected {self.expected}: {self.advice}"


@dataclass(frozen=True)
class TopicsPlan:
    """What is to be created, what is as it should be, and what differs."""

    missing: tuple[Topic, ...]
    unchanged: tuple[str, ...]
    differences: tuple[Difference, ...]


def plan(kafka: KafkaSettings, existing: Mapping[str, TopicView]) -> TopicsPlan:
    """Compare the catalogue with the existing topics, given by their full names."""
    missing: list[Topic] = []
    unchanged: list[str] = []
    differences: list[Difference] = []
    for topic in CATALOGUE:
        name = topic.full_name(kafka.topic_prefix)
        view = existing.get(name)
        if view is None:
            missing.append(topic)
            continue
        found = list(_differences(topic, name, kafka, view))
        differences += found
        if not found:
            unchanged.append(name)
    return TopicsPlan(tuple(missing), tuple(unchanged), tuple(differences))


def _differences(topic: Topic, name: str, kafka: KafkaSettings, view: TopicView) -> Iterator[Difference]:
    expected = topic.partitions(kafka)
    if view.partitions != expected:
        advice = _partitions_advice(topic, view.partitions, expected)
        yield Difference(name, "partitions", str(expected), str(view.partitions), advice, stops_workers=True)
    if view.replication_factor != kafka.replication_factor:
        advice = f"move replicas with Kafka's own tools, or set {variable('kafka', 'replication_factor')}"
        factors = str(kafka.replication_factor), str(view.replication_factor)
        yield Difference(name, "replication factor", *factors, advice)
    for key, value in topic.configs(kafka).items():
        found = view.configs.get(key, "(not told)")
        if found != value:
            advice = (
                "if that is not meant: kafka-configs.sh --bootstrap-server … --alter "
                f"--entity-type topics --entity-name {name} --add-config {key}={value}"
            )
            yield Difference(name, key, value, found, advice)


def _partitions_advice(topic: Topic, found: int, expected: int) -> str:
    """Say what to do about a wrong number of partitions, which depends on who fixed it."""
    if topic.group == "deadletter":
        return f"make the topic anew with {expected} partitions"
    setting = variable("kafka", f"{topic.group}_partitions")
    if found > expected:
        return f"partitions cannot be taken away: set {setting}={found}"
    return (
        f"adding partitions moves keys to others, so only `topics grow`, of a later release, may do it, "
        f"after draining; until then set {setting}={found}"
    )
