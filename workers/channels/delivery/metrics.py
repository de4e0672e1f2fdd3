"""Every metric of delivery, with its meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "tongdai_delivery_attempts",
    "Parts given to channels, by what became of it: `taken`, `unanswered`, or what the error means.",
    ["channel", "became"],
)
CALL_SECONDS = Histogram(
    "tongdai_delivery_call_seconds",
    "From the beginning of a call to its answer.",
    ["channel"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
FAILED = Counter("tongdai_delivery_failed", "Messages that have failed, by reason.", ["channel", "reason"])
PAUSED = Counter(
    "tongdai_delivery_paused",
    "Pages that were paused, by reason: somebody must mend them.",
    ["channel", "reason"],
)
RESUMED = Counter("tongdai_delivery_resumed", "Paused pages that work again.", ["channel"])
LOST = Counter(
    "tongdai_delivery_lost", "Attempts of which no worker knows the end: their messages are unknown."
)
REFRESHED = Counter(
    "tongdai_delivery_tokens",
    "Exchanges of Zalo's tokens: `renewed`, `again` later, `lost` (sign in anew).",
    ["became"],
)
READ = Counter(
    "tongdai_delivery_read",
    "Calls that read from channels, by what was wanted (`profile`, `history`) and what became of it: "
    "`found`, or what the error means.",
    ["channel", "what", "became"],
)


class ErrandMetrics:
    """What the producer of what was read tells of itself."""

    connected = Gauge("tongdai_delivery_connected", "1 while there is a producer for what is read.")
    producers = Counter("tongdai_delivery_producers", "Producers for what is read that were connected.")
