"""The configuration of the embedded Kafka: one KRaft node on the loopback interface."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workers.local.ports import LOOPBACK

# The largest topics take 1 MiB and 64 KiB (deadletter); the rest is the batch's own overhead.
MESSAGE_MAX_BYTES = 1_048_576 + 65_536 + 4_096
SEGMENT_BYTES = "1048576"


def server_properties(
    log_dir: Path, *, port: int, controller_port: int, overrides: Mapping[str, str]
) -> dict[str, str]:
    """Kafka's `server.properties` as a mapping.

    Args:
        log_dir: where the node keeps its logs.
        port: where clients connect.
        controller_port: where the node talks to itself.
        overrides: properties that win over these.
    """
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(log_dir),
        "auto.create.topics.enable": "false",
        "message.max.bytes": str(MESSAGE_MAX_BYTES),
        **_internal_topics(),
        **_small_machine(),
        **overrides,
    }


def _internal_topics() -> dict[str, str]:
    """One copy each, and few partitions: the first group and the first transaction start sooner.

    They are compacted, but for their last segment: small ones are soon loaded after a crash, which Kafka gets
    wrong when it takes long (decision 23). Nor are markers of transactions kept for a day: only the broker
    reads compacted topics here, from their beginnings.
    """
    return {
        "log.cleaner.delete.retention.ms": "60000",
        "offsets.topic.segment.bytes": SEGMENT_BYTES,
        "transaction.state.log.segment.bytes": SEGMENT_BYTES,
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }


def _small_machine() -> dict[str, str]:
    return {
        "group.initial.rebalance.delay.ms": "0",  # a first member need not wait for others
        "group.min.session.timeout.ms": "1000",  # tests of frozen workers need not wait long
        # After a crash the node waits until its former registration has run out (9 s by default).
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "num.io.threads": "4",
        "background.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),  # of a small heap; the default takes 128 MiB
    }


def as_text(properties: Mapping[str, str]) -> str:
    """The properties as the lines of a Java properties file."""
    escaped = ((key, value.replace("\\", "\\\\")) for key, value in sorted(properties.items()))
    return "".join(f"{key}={value}\n" for key, value in escaped)
