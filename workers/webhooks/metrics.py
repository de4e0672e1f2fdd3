"""Every metric of the webhooks' worker, with its meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "tongdai_webhooks_attempts",
    "Attempts to deliver, by what became of them: delivered, later (tried again), gone (410), given_up.",
    ["became"],
)
SECONDS = Histogram(
    "tongdai_webhooks_seconds",
    "Seconds of one attempt.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
)
DELAY_SECONDS = Histogram(
    "tongdai_webhooks_delay_seconds",
    "From the log's time of an event to its delivery.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86400, 259200),
)
HELD = Gauge("tongdai_webhooks_endpoints_held", "Endpoints that this process leases.")
FAILING = Gauge("tongdai_webhooks_endpoints_failing", "Of those, endpoints with failures that are not over.")
WAITING = Gauge("tongdai_webhooks_waiting_bytes", "Bytes of events that wait in memory, of all endpoints.")
EXPIRED = Counter(
    "tongdai_webhooks_expired_records",
    "Records, of all workspaces, that were not kept until an endpoint came to them.",
)
UNREADABLE = Counter("tongdai_webhooks_unreadable", "Records that make no event; nobody is told.", ["topic"])
ENDED = Counter(
    "tongdai_webhooks_ended",
    "Endpoints that this process let go of, by why: asked (paused, changed, moved), lost (another has it), "
    "gone, given_up, failed (a bug).",
    ["why"],
)
