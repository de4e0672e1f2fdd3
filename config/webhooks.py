"""Webhooks out: what signs them, where they may go, how long they are tried, how much waits."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from config.keys import Keys
from config.networks import Networks
from config.retry import RetrySection
from config.section import PositiveInt, PositiveSeconds

DAY_S = 24 * 60 * 60.0


class WebhooksSettings(RetrySection):
    """Of the gateway, where webhooks are asked for, and of the worker that sends them."""

    RETRY: ClassVar = ("retry_first_s", "retry_max_s")

    signing_keys: Keys = ()
    """The secrets of all endpoints are computed from these, separated by commas, each at least 32 bytes; the
    first makes new ones. The same in all gateways and workers; one that is gone silences its endpoints."""
    allow_networks: Networks = ()
    """Networks that are not public and may be sent to all the same, separated by commas."""
    connect_timeout_s: PositiveSeconds = 5.0
    """For a new connection to an endpoint."""
    request_timeout_s: PositiveSeconds = 15.0
    """From the beginning of connecting to the end of the answer."""
    lease_s: Annotated[float, Field(ge=1, le=600, allow_inf_nan=False)] = 30.0
    """So long after a worker has died, another one goes on with its endpoints."""
    retry_first_s: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] = 5.0
    """The waits between attempts double from this one."""
    retry_max_s: Annotated[float, Field(gt=0, le=DAY_S, allow_inf_nan=False)] = 3_600.0
    """To this one."""
    give_up_s: Annotated[float, Field(gt=0, le=30 * DAY_S, allow_inf_nan=False)] = 3 * DAY_S
    """After so long without success an endpoint is paused; it keeps its place."""
    parallel_max: Annotated[PositiveInt, Field(le=100)] = 8
    """Requests under way to one endpoint; those of one key are always one after the other."""
    endpoints_max: Annotated[PositiveInt, Field(le=10_000)] = 50
    """Endpoints that one worker takes; more wait for another worker."""
    buffer_bytes_max: Annotated[int, Field(ge=1_048_576, le=1_073_741_824)] = 8_388_608
    """Of events that wait for one endpoint in a worker's memory; the others wait in Kafka."""
