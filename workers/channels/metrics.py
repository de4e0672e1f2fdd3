"""Every metric of the ingress, with its meaning."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0)


class IngressMetrics:
    """The metrics of one ingress, in a registry of its own (`/metrics` prints it)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tongdai_ingress_requests",
            "Requests to a webhook's address, by the status of the answer",
            ["channel", "status"],
            registry=self.registry,
        )
        self.refused = Counter(
            "tongdai_ingress_refused",
            "Requests that were not taken, by reason (the end of the problem's type)",
            ["channel", "reason"],
            registry=self.registry,
        )
        self.records = Counter(
            "tongdai_ingress_records",
            "Records that Kafka has confirmed on inbound, by kind",
            ["channel", "what"],
            registry=self.registry,
        )
        self.deadlettered = Counter(
            "tongdai_ingress_deadlettered",
            "Events that Kafka has confirmed on deadletter, by reason",
            ["channel", "reason"],
            registry=self.registry,
        )
        self.skipped = Counter(
            "tongdai_ingress_skipped",
            "Events of no conversation (`changes`, as of a dashboard's test): answered 200, not kept",
            ["channel", "event"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "tongdai_ingress_request_seconds",
            "From the request's head to its answer; Zalo gives up after 2 s",
            ["channel"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "tongdai_ingress_waiting",
            "Requests that are being read or wait for Kafka",
            registry=self.registry,
        )
        self.producers = Counter(
            "tongdai_ingress_producers",
            "Producers that were connected; more than one: Kafka did not answer in time",
            registry=self.registry,
        )
        self.connected = Gauge(
            "tongdai_ingress_connected",
            "1 while there is a connected producer, else 0",
            registry=self.registry,
        )
