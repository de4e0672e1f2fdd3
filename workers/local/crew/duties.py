"""What the workers of one machine are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from config.problem import variable
from config.settings import Settings
from workers.local.crew.environment import crew_environment
from workers.local.crew.member import Duty
from workers.local.ports import LOOPBACK, free_port

LANE_WORKERS = ("routing", "notifier")
DELIVERY, WEBHOOKS = "delivery", "webhooks"
_ANY_ADDRESS = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - compared with, not listened on


def duties(
    settings: Settings,
    *,
    ingress_port: int,
    gateway_port: int | None = None,
    beside: Sequence[str] = (),
    more: Mapping[str, str] | None = None,
) -> list[Duty]:
    """Return ingress, routing and notifier, and whoever else is wanted, each as a process.

    Args:
        settings: with the addresses of the servers.
        ingress_port: where the ingress listens; its health is asked there, too.
        gateway_port: the same of the gateway; none: there is no gateway.
        beside: DELIVERY and WEBHOOKS, if they are wanted.
        more: environment variables that win over this process's.
    """
    environment = {
        **crew_environment(settings),
        variable("ingress", "port"): str(ingress_port),
        **(more or {}),
    }
    ingress = Duty(
        "ingress", ("worker", "ingress"), environment, (_reached(settings.ingress.host), ingress_port)
    )
    return [
        ingress,
        *_with_health((*LANE_WORKERS, *beside), settings, environment),
        *_gateway(settings, environment, gateway_port),
    ]


def _gateway(settings: Settings, environment: Mapping[str, str], port: int | None) -> Iterator[Duty]:
    if port is not None:
        told = {**environment, variable("gateway", "port"): str(port)}
        yield Duty("gateway", ("worker", "gateway"), told, (_reached(settings.gateway.host), port))


def _with_health(
    workers: Sequence[str], settings: Settings, environment: Mapping[str, str]
) -> Iterator[Duty]:
    """Those who tell their health on a port of its own."""
    host, first = _reached(settings.runtime.health_host), settings.runtime.health_port
    for number, name in enumerate(workers):
        # Two processes cannot share a port: each takes the next.
        port = first + number if first else free_port()
        told = {variable("runtime", "health_port"): str(port)}
        yield Duty(name, ("worker", name), {**environment, **told}, (host, port))


def _reached(host: str) -> str:
    """Where somebody who listens on `host` is reached from this machine."""
    return _ANY_ADDRESS.get(host, host)
