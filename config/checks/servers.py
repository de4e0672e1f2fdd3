"""What must be said and be safe of Kafka and Postgres in production."""

from __future__ import annotations

from collections.abc import Iterator

from config.kafka import KafkaSettings
from config.postgres import PostgresSettings
from config.problem import Problem, variable
from config.profile import Profile

_DURABLE_COMMITS = {"on", "remote_apply"}


def warnings_of(profile: Profile, kafka: KafkaSettings, postgres: PostgresSettings) -> tuple[Problem, ...]:
    """Return what the profile allows although it is not safe."""
    warnings = list(unsafe(kafka, postgres)) if profile == "local" else []
    if profile == "production" and not kafka.uses_tls:
        text = (
            f"is {kafka.security_protocol}: customers' messages cross the network unencrypted; use SASL_SSL"
        )
        warnings.append(Problem(variable("kafka", "security_protocol"), text))
    if profile == "production" and not postgres.checks_server:
        text = (
            "has no sslmode=verify-full&sslrootcert=…: whoever answers at its address is taken for Postgres"
        )
        warnings.append(Problem(variable("postgres", "dsn"), text))
    return tuple(warnings)


def unsafe(kafka: KafkaSettings, postgres: PostgresSettings) -> Iterator[Problem]:
    """Yield what may lose an acknowledged message when one server fails."""
    if kafka.replication_factor < 3:
        text = (
            f"is {kafka.replication_factor}: production needs at least 3, or one lost broker loses messages"
        )
        yield Problem(variable("kafka", "replication_factor"), text)
    if kafka.min_insync_replicas < 2:
        text = (
            f"is {kafka.min_insync_replicas}: production needs at least 2, or one broker alone acknowledges"
        )
        yield Problem(variable("kafka", "min_insync_replicas"), text)
    if postgres.synchronous_commit not in _DURABLE_COMMITS:
        text = f"is {postgres.synchronous_commit}: exactly-once needs `on` (or `remote_apply`); set it to on"
        yield Problem(variable("postgres", "synchronous_commit"), text)


def unnamed(kafka: KafkaSettings, postgres: PostgresSettings) -> Iterator[Problem]:
    """Yield what nobody said where it is."""
    if not kafka.is_named:
        yield Problem(variable("kafka", "bootstrap_servers"), "is not set: production needs host:port[,…]")
    if not postgres.is_named:
        yield Problem(variable("postgres", "dsn"), "is not set: production needs postgresql://…")
