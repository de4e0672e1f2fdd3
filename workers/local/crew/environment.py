"""What a worker process is told through its environment."""

from __future__ import annotations

import os
import sys

from config.problem import variable
from config.settings import Settings

# The shortest session that brokers allow by default: a killed worker's lanes wait this long for another.
SESSION_TIMEOUT_MS = 6_000
HEARTBEAT_INTERVAL_MS = 1_500


def crew_environment(settings: Settings) -> dict[str, str]:
    """Return this process's environment with the addresses of `settings`, and quick failure detection.

    Embedded servers have addresses that no variable names. A session's length is left as it is when
    somebody has set it.
    """
    named = {
        variable("kafka", "bootstrap_servers"): settings.kafka.bootstrap_servers,
        variable("postgres", "dsn"): settings.postgres.dsn.get_secret_value(),
    }
    return {**os.environ, **_quick_sessions(settings), **_readable_logs(settings), **named}


def _quick_sessions(settings: Settings) -> dict[str, str]:
    if settings.runtime.model_fields_set & {"session_timeout_ms", "heartbeat_interval_ms"}:
        return {}
    return {
        variable("runtime", "session_timeout_ms"): str(SESSION_TIMEOUT_MS),
        variable("runtime", "heartbeat_interval_ms"): str(HEARTBEAT_INTERVAL_MS),
    }


def _readable_logs(settings: Settings) -> dict[str, str]:
    """The workers write into a pipe, and would write JSON although a person reads it."""
    if settings.log.format != "auto" or not sys.stderr.isatty():
        return {}
    return {variable("log", "format"): "console"}
