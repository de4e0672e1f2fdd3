"""Which deadlines of the runtime must be longer than which."""

from __future__ import annotations

from collections.abc import Iterator

from config.postgres import PostgresSettings
from config.problem import Problem, variable
from config.runtime import RuntimeSettings


def of_runtime(runtime: RuntimeSettings) -> Iterator[Problem]:
    """Of groups, transactions and stopping."""
    if runtime.heartbeat_interval_ms * 3 > runtime.session_timeout_ms:
        text = (
            f"must be at most a third of {variable('runtime', 'session_timeout_ms')}: three beats may be lost"
        )
        yield Problem(variable("runtime", "heartbeat_interval_ms"), text)
    if runtime.max_poll_interval_ms <= runtime.transaction_timeout_ms:
        other = variable("runtime", "transaction_timeout_ms")
        text = f"must exceed {other}: a lane must not move while its transaction may still commit"
        yield Problem(variable("runtime", "max_poll_interval_ms"), text)
    if runtime.max_poll_interval_ms < runtime.session_timeout_ms:
        text = f"must not be below {variable('runtime', 'session_timeout_ms')}: raise it"
        yield Problem(variable("runtime", "max_poll_interval_ms"), text)
    if runtime.kafka_deadline_s * 1000 > runtime.transaction_timeout_ms:
        other = variable("runtime", "transaction_timeout_ms")
        yield Problem(variable("runtime", "kafka_deadline_s"), f"must not exceed {other}: lower it")
    for field in ("stop_deadline_s", "watchdog_s"):
        if getattr(runtime, field) <= runtime.kafka_deadline_s:
            text = f"must exceed {variable('runtime', 'kafka_deadline_s')}: one slow call would use it up"
            yield Problem(variable("runtime", field), text)


def of_watchdog(runtime: RuntimeSettings, postgres: PostgresSettings) -> Iterator[Problem]:
    """What must be over before a worker counts as stuck."""
    if runtime.kafka_deadline_s < runtime.watchdog_s <= postgres.command_timeout_s:
        other = variable("postgres", "command_timeout_s")
        text = f"must exceed {other}: a worker that waits for a slow Postgres is not stuck"
        yield Problem(variable("runtime", "watchdog_s"), text)
