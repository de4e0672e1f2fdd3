"""The limits and deadlines of the loop that drives the lanes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.section import Milliseconds, Port, PositiveInt, PositiveSeconds, Section

SIDE_SPARE_S = 20.0
"""So much longer than its lanes may take what a worker does beside them, to bring it to its end."""
CLOSING_S = 5.0
"""To close connections behind that."""


class RuntimeSettings(Section):
    """Of workers with lanes (routing, notifier, delivery); deadlines and health of webhooks, too."""

    batch_max_records: Annotated[PositiveInt, Field(le=100_000)] = 2_000
    """Records that one transaction takes, at most."""
    batch_max_bytes: Annotated[int, Field(ge=2_097_152, le=268_435_456)] = 8_388_608
    """Of one fetch from Kafka. At least one record of the largest size fits: 1 MiB and the headers around
    it."""
    batch_interval_ms: Annotated[int, Field(ge=0, le=1_000)] = 12
    """A batch begins so long after the one before, or later, unless a backlog waits; a desk's batch twice so
    long. Each costs the servers nearly the same whether it brings two records or fifty. A lone record does
    not wait. 0 is as soon as there is one."""
    poll_timeout_ms: Milliseconds = 500
    """So long a worker without work waits for some before it looks after itself."""
    session_timeout_ms: Milliseconds = 10_000
    """A worker that was not heard for so long has lost its lanes to others."""
    heartbeat_interval_ms: Milliseconds = 3_000
    """So often it is heard; at most a third of the session timeout."""
    max_poll_interval_ms: Milliseconds = 60_000
    """A worker that asked for no records for so long has lost its lanes, too."""
    transaction_timeout_ms: Milliseconds = 15_000
    """A transaction that was left open is ended by Kafka after so long: readers wait for that."""
    stop_deadline_s: PositiveSeconds = 20.0
    """After SIGTERM the lanes are given up within so long; what was not finished is done again by others."""
    watchdog_s: PositiveSeconds = 60.0
    """A worker with work on which nothing has moved for so long ends itself."""
    dependency_start_timeout_s: PositiveSeconds = 60.0
    """So long a worker waits at its start for Kafka and Postgres; then it ends with code 5."""
    kafka_deadline_s: PositiveSeconds = 10.0
    """Of every single call to Kafka, also of gateway and commands."""
    exceptions_in_a_row_limit: Annotated[PositiveInt, Field(le=1_000)] = 20
    """After so many records that nobody could handle, one after the other, a lane stops."""
    health_host: str = "127.0.0.1"
    """Where `/healthz`, `/readyz` and `/metrics` of workers without HTTP of their own listen."""
    health_port: Port = 0
    """Their port. 0 is any free one, which the log tells (`health_listening`)."""

    @property
    def grace_s(self) -> float:
        """So long a worker that was told to stop is to be left alone by whoever would kill it."""
        return self.stop_deadline_s + SIDE_SPARE_S + CLOSING_S
