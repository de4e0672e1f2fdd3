"""The gateway through which agents and page admins see and act."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from config.keys import Key, split
from config.networks import THIS_MACHINE, Networks
from config.section import Port, PositiveInt, PositiveSeconds, Section

DAY_S = 24 * 60 * 60.0


class GatewaySettings(Section):
    """Of the gateway: where it listens, how long tokens live, how much a client may take."""

    host: str = "127.0.0.1"
    """Where it listens."""
    port: Port = 8090
    """Where it listens; also `/healthz`, `/readyz` and `/metrics`."""
    signing_key: Key | None = None
    """Signs tokens; at least 32 bytes, the same in all gateways. A new one signs everybody out."""
    origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split), Field(max_length=100)] = ()
    """Browsers' origins besides the gateway's own, separated by commas: `https://console.example.com`."""
    proxies: Networks = THIS_MACHINE
    """Addresses and networks of the proxies before it, whose X-Forwarded-For says where clients are."""
    access_token_s: Annotated[float, Field(ge=60, le=3_600)] = 600.0
    """So long an access token is good."""
    refresh_token_s: Annotated[float, Field(ge=600, le=90 * DAY_S)] = 14 * DAY_S
    """So long nobody has to sign in again who comes back meanwhile."""
    outcome_deadline_s: PositiveSeconds = 10.0
    """After this a command is answered 202, and its outcome is to be asked for."""
    publish_deadline_s: PositiveSeconds = 5.0
    """After so long without Kafka's word a command is answered 503."""
    address_rate_per_s: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] = 200.0
    """Requests of one address; what is more is refused with 429."""
    address_rate_burst: PositiveInt = 2_000
    """Many agents sit behind one address of their company."""
    agent_rate_per_s: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] = 20.0
    """Commands of one agent or service, likewise."""
    agent_rate_burst: PositiveInt = 100
    """So many at once."""
    reads_per_agent_max: Annotated[PositiveInt, Field(le=100)] = 2
    """Reads of one agent or service at once, in one gateway; his others wait, for 2 s at most."""
    sockets_max: Annotated[PositiveInt, Field(le=100_000)] = 12_000
    """Connections in one gateway, WebSockets and event streams together."""
    sockets_per_agent_max: Annotated[PositiveInt, Field(le=1_000)] = 20
    """Of one agent, in one gateway; the oldest gives way."""
    message_bytes_max: Annotated[int, Field(ge=1_024, le=1_048_576)] = 131_072
    """Of a request's body and of what a socket sends; a message's 20,000 characters fit."""
    send_queue_bytes_max: Annotated[int, Field(ge=16_384, le=16_777_216)] = 262_144
    """What waits for a client that does not read; more, and it is cut off."""
    idle_s: Annotated[float, Field(ge=10, le=DAY_S)] = 300.0
    """Without any sign of a person for so long, an agent is away."""
    offline_grace_s: Annotated[float, Field(ge=0, le=300)] = 15.0
    """After his last connection is gone, so that a reload is no coming and going."""
