"""Every metric of the gateway, with its meaning."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 1.0, 2.5, 5.0, 10.0)


class GatewayMetrics:
    """The metrics of one gateway, in a registry of its own (`/metrics` prints it)."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.answers = Counter(
            "tongdai_gateway_answers",
            "Commands by call and what became of them: done, refused, unknown (202), or an error's code",
            ["call", "became"],
            registry=registry,
        )
        self.answer_seconds = Histogram(
            "tongdai_gateway_answer_seconds",
            "From a command's arrival to its outcome",
            ["call"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.refused = Counter(
            "tongdai_gateway_refused",
            "Attempts that the gateway itself refused, by call and code; all stand or count in the audit",
            ["call", "code"],
            registry=registry,
        )
        self.unaudited = Counter(
            "tongdai_gateway_unaudited",
            "Refused attempts that are neither in the audit nor counted there: there were too many kinds",
            registry=registry,
        )
        self.sockets = Gauge(
            "tongdai_gateway_sockets", "Open connections, by kind: ws or sse", ["kind"], registry=registry
        )
        self.cut = Counter(
            "tongdai_gateway_cut",
            "Connections that the gateway ended, by close code",
            ["code"],
            registry=registry,
        )
        self.pushed = Counter(
            "tongdai_gateway_pushed", "Notifications handed to connections", registry=registry
        )
        self.resumed = Counter(
            "tongdai_gateway_resumed",
            "Connections that named their last event: from memory, from kafka, or told to load anew (reset)",
            ["how"],
            registry=registry,
        )
        self.glances_dropped = Counter(
            "tongdai_gateway_glances_dropped",
            "Words on who looks or types that the other gateways were not told, since too many waited",
            registry=registry,
        )
        self.connected = Gauge(
            "tongdai_gateway_connected",
            "1 while there is a connected producer, else 0",
            registry=registry,
        )
        self.producers = Counter(
            "tongdai_gateway_producers",
            "Producers that were connected; more than one: Kafka did not answer in time",
            registry=registry,
        )
        self.tailing = Gauge(
            "tongdai_gateway_tailing",
            "1 while outcomes and notifications are being read, else 0",
            registry=registry,
        )
