"""Every metric of the workers, with its meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

RECORDS = Counter("tongdai_records", "Input records that took effect (stored in Postgres).", ["kind"])
DEADLETTERED = Counter("tongdai_deadlettered", "Records put on deadletter.", ["kind"])
FORWARDED = Counter(
    "tongdai_forwarded", "Records sent on to the partition where their key belongs.", ["kind"]
)
INTAKE = Counter(
    "tongdai_intake_records",
    "What became of records that intake took: `stored` as a message; `duplicate` of a stored one; "
    "`own_echo`, the channel's of a message that we have sent; `gesture`, a reaction, an edit, or what is "
    "told of a customer; `of_nothing`, one in a conversation that nobody began; `other`, a channel's event "
    "that nothing reads yet; `stale_assignment`, applied before; `stale_timer`, of a session that was over; "
    "of agents' actions `acted`, `refused_action`, and `repeated_action`, which came before.",
    ["became"],
)
BATCH_RECORDS = Histogram(
    "tongdai_batch_records", "Records in one batch.", ["kind"], buckets=(0, 1, 10, 100, 500, 1000, 2000, 5000)
)
STORE_SECONDS = Histogram(
    "tongdai_store_seconds", "Seconds of one batch's Postgres transaction.", ["kind"], buckets=_LATENCY_S
)
PUBLISH_SECONDS = Histogram(
    "tongdai_publish_seconds", "Seconds of one batch's Kafka transaction.", ["kind"], buckets=_LATENCY_S
)
TERMS = Counter("tongdai_terms", "Terms that this process began; more than one means a failure.", ["kind"])
FENCED = Counter("tongdai_fenced", "Terms that ended because another worker owned a lane.", ["kind"])
LANES_HELD = Gauge("tongdai_lanes_held", "Lanes that this process holds.", ["kind"])
LANES_STOPPED = Gauge("tongdai_lanes_stopped", "Lanes that wait for `tongdai recover`.", ["kind"])
LAG = Gauge("tongdai_lag_records", "Records that wait behind the held lanes' positions.", ["kind", "topic"])
HELD_BACK = Gauge(
    "tongdai_held_back_records",
    "Offsets of the held lanes behind a transaction that has not ended. Above zero for longer than a "
    "transaction may take: nobody ends it, and no reader comes past it.",
    ["kind", "topic"],
)
UPKEEP = Counter(
    "tongdai_upkeep",
    "What upkeep did, by chore: rows forgotten (`message_seen`, `intake_outcome`), partitions of message "
    "made (`message_partitions`), erasures that came on (`erasing`), rows that these took (`erasing at "
    "delivery`).",
    ["chore"],
)
UPKEEP_FAILED = Counter(
    "tongdai_upkeep_failed", "Times that a chore of upkeep failed; it is tried again.", ["chore"]
)
