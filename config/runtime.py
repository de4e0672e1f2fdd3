"""The limits and deadlines of the loop that drives the lanes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.section import Milliseconds, Port, PositiveInt, PositiveSeconds, Section


class RuntimeSettings(Section):
    """Batches, group membership, deadlines and health of a worker with lanes."""

    batch_max_records: Annotated[PositiveInt, Field(le=100_000)] = 2_000
    # At least one record of the largest size: 1 MiB and the headers around it.
    batch_max_bytes: Annotated[int, Field(ge=2_097_152, le=268_435_456)] = 8_388_608
    poll_timeout_ms: Milliseconds = 500
    session_timeout_ms: Milliseconds = 10_000
    heartbeat_interval_ms: Milliseconds = 3_000
    max_poll_interval_ms: Milliseconds = 60_000
    transaction_timeout_ms: Milliseconds = 15_000
    stop_deadline_s: PositiveSeconds = 20.0
    watchdog_s: PositiveSeconds = 60.0
    dependency_start_timeout_s: PositiveSeconds = 60.0
    kafka_deadline_s: PositiveSeconds = 10.0
    exceptions_in_a_row_limit: Annotated[PositiveInt, Field(le=1_000)] = 20
    health_host: str = "127.0.0.1"
    health_port: Port = 0
