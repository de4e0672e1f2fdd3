"""Kafka Streams: locked jars, a Kafka that it can reach, and a job that is checked by its topics alone."""

from __future__ import annotations

import pytest

from bench import check
from bench.failures import BenchError
from bench.peers.streams.build import JARS, prepare
from bench.roster import AGENTS
from config.kafka import KafkaSettings
from config.settings import Settings
from workers.local.jars import KAFKA, KAFKA_VERSION, read_lock

MESSAGES = [f"message-{number}" for number in range(36)]
TURNS = [(f"zalo:1:{number}", agent) for number, agent in enumerate((*AGENTS, *AGENTS))]


def test_the_lock_holds_the_library_of_the_same_version_as_the_broker() -> None:
    locked, brokers = read_lock(JARS.lock_file), read_lock(KAFKA.lock_file)
    assert f"kafka-streams-{KAFKA_VERSION}.jar" in locked
    client = f"kafka-clients-{KAFKA_VERSION}.jar"
    assert locked[client] == brokers[client]


def test_a_kafka_with_tls_is_refused_before_anything_is_fetched() -> None:
    secured = Settings(kafka=KafkaSettings(bootstrap_servers="kafka:9093", security_protocol="SSL"))
    with pytest.raises(BenchError, match=r"PLAINTEXT only: leave it out: --only"):
        prepare(secured)


def test_what_was_published_once_and_in_turn_is_a_job_done() -> None:
    check.judge_published(MESSAGES, TURNS, 36, 24)


@pytest.mark.parametrize(
    ("stored", "holders", "said"),
    [
        (MESSAGES[1:], TURNS, "messages published: 35, but 36"),
        (["message-1", *MESSAGES[1:]], TURNS, "different messages: 35, but 36"),
        (MESSAGES, TURNS[1:], "assignments published: 23, but 24"),
        (MESSAGES, [TURNS[1], *TURNS[1:]], "conversations with an agent: 23, but 24"),
        (MESSAGES, [(key, AGENTS[0]) for key, _ in TURNS], "in turn"),
    ],
    ids=["a lost message", "a doubled message", "a lost assignment", "two of one conversation", "unfair"],
)
def test_what_was_not_done_is_noticed(stored: list[str], holders: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(BenchError, match=said):
        check.judge_published(stored, holders, 36, 24)
