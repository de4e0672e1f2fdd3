"""Every metric of the ingress, with its meaning."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0)


class IngressMetrics:
    """The metrics of one ingress, in a registry of its own (`/metrics` prints it)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter(
            "requests", "Requests to a webhook's address, by the status of the answer", "channel", "status"
        )
        self.refused = self._counter(
            "refused",
            "Requests that were not taken, by reason (the end of the problem's type)",
            "channel",
            "reason",
        )
        self.shed = self._counter(
            "shed", "Requests to a webhook's address that were answered 503 at their heads, unread"
        )
        self.records = self._counter(
            "records", "Records that Kafka has confirmed on inbound and receipts, by kind", "channel", "what"
        )
        self.deadlettered = self._counter(
            "deadlettered", "Events that Kafka has confirmed on deadletter, by reason", "channel", "reason"
        )
        self.skipped = self._counter(
            "skipped",
            "Events of no conversation (`changes`, as of a dashboard's test): answered 200, not kept",
            "channel",
            "event",
        )
        self.producers = self._counter(
            "producers", "Producers that were connected; more than one: Kafka did not answer in time"
        )
        self.request_seconds = Histogram(
            "tongdai_ingress_request_seconds",
            "From the request's head to its answer; Zalo gives up after 2 s",
            ["channel"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.waiting = self._gauge("waiting", "Requests that are being read or wait for Kafka")
        self.connected = self._gauge("connected", "1 while there is a connected producer, else 0")
        self.visitors = self._gauge("visitors", "Sockets of visitors of websites that are open")
        self.sightings_dropped = self._counter(
            "sightings_dropped", "Words on visitors that gateways were not told, since too many waited"
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"tongdai_ingress_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"tongdai_ingress_{name}", meaning, registry=self.registry)
