"""Every fault by its name: of which kind it is, and what a run of it needs around the workers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum, auto


class Need(Enum):
    """What the ground of a run has beyond servers and workers."""

    WIRES = auto()
    """Each worker reaches each server by a wire of its own, which can be cut."""
    INSIDE = auto()
    """A signal blocks a worker's event loop: `inside/sitecustomize.py` is on its path."""
    CLOCKS = auto()
    """Each worker has a clock of its own, through libfaketime, which must be installed."""
    SMALL_DISKS = auto()
    """Each server has a small disk of its own, which only root can mount."""
    BROKERS = auto()
    """Three brokers, of which one may be away."""
    OLDER = auto()
    """The workers are at first of the version before the newest migration."""
    OUTSIDE = auto()
    """Answers are given to a platform, and events told to a shop, by workers for that."""


KINDS: Mapping[str, tuple[str, ...]] = {
    "kill": (
        "kill_routing",
        "kill_notifier",
        "kill_gateway",
        "kill_in_rebalance",
        "kill_at_commit",
        "kill_at_produce",
        "kill_at_end_txn",
    ),
    "terminate": ("terminate_twice",),
    "freeze": (
        "freeze_routing",
        "freeze_notifier",
        "freeze_in_transaction",
        "freeze_before_writing",
        "freeze_at_produce",
        "freeze_at_end_txn",
        "freeze_gateway",
    ),
    "broker_crash": ("restart_broker",),
    "postgres_crash": ("restart_postgres",),
    "partition": (
        "silent_kafka",
        "silent_postgres",
        "half_open_kafka",
        "half_open_postgres",
        "reset_all",
        "cut_at_commit",
        "cut_at_produce",
        "cut_at_end_txn",
    ),
    "lost_reply": (
        "lost_commit_reply",
        "lost_produce_reply",
        "lost_offsets_reply",
        "lost_end_txn_reply",
    ),
    "storm": ("storm",),
    "broker_freeze": ("freeze_broker",),
    "session": ("terminate_sessions", "kill_backend"),
    "lock": ("lock_rows",),
    "delay": ("delay_kafka", "delay_postgres", "delay_both", "throttle_kafka", "throttle_postgres"),
    "block": ("block_loop",),
    "poison": ("poison",),
    "replay": ("replay",),
    "disorder": ("disorder",),
    "clock": ("jump_clocks",),
    "full_disk": ("fill_postgres_disk", "fill_kafka_disk"),
    "limit": ("few_descriptors", "little_memory"),
    "coordinator": ("move_coordinator",),
    "upgrade": ("roll_out",),
    "outside": ("kill_delivery", "kill_webhooks", "kill_ingress"),
}
"""Faults of one kind are the same thing done to different parts, or at different moments."""

FAULTS: tuple[str, ...] = tuple(name for names in KINDS.values() for name in names)

SPINE = (
    "kill_routing",
    "kill_notifier",
    "kill_gateway",
    "freeze_routing",
    "freeze_in_transaction",
    "freeze_notifier",
    "freeze_gateway",
    "restart_postgres",
    "restart_broker",
    "storm",
)
"""What everything must survive in turn, without a pause to recover."""

MAY_END = frozenset((*KINDS["limit"], *KINDS["upgrade"]))
"""A worker may end by these. What matters is that a later life has what it needs, and goes on: one of a
version that reads more topics than the other members of its group ends until those are gone."""

_AT_A_REQUEST = {
    *(f"freeze_{moment}" for moment in ("before_writing", "at_produce", "at_end_txn")),
    *(f"kill_at_{request}" for request in ("commit", "produce", "end_txn")),
}
"""A worker is stopped at the moment when it sends this."""
_NEEDS: Mapping[Need, Collection[str]] = {
    Need.WIRES: {*_AT_A_REQUEST, *KINDS["delay"], *KINDS["partition"], *KINDS["lost_reply"]},
    Need.INSIDE: {*KINDS["block"]},
    Need.CLOCKS: {*KINDS["clock"]},
    Need.SMALL_DISKS: {*KINDS["full_disk"]},
    Need.BROKERS: {*KINDS["coordinator"]},
    Need.OLDER: {*KINDS["upgrade"]},
    Need.OUTSIDE: {*KINDS["outside"]},
}

TOGETHER = frozenset({Need.WIRES, Need.INSIDE})
"""What any fault may find around it: a run that has it can do others in turn."""

USUAL_S = 20.0
_LASTS_S: Mapping[str, float] = {
    "freeze_gateway": 45.0,
    "restart_broker": 25.0,
    "silent_kafka": 25.0,
    "silent_postgres": 35.0,
    **dict.fromkeys((*_AT_A_REQUEST, *KINDS["lost_reply"]), 30.0),
    **dict.fromkeys(("cut_at_commit", "cut_at_produce", "cut_at_end_txn"), 30.0),
    "kill_in_rebalance": 40.0,
    "storm": 60.0,
    "freeze_broker": 45.0,
    "lock_rows": 45.0,
    **dict.fromkeys(KINDS["delay"], 30.0),
    "block_loop": 45.0,
    "jump_clocks": 40.0,
    **dict.fromkeys(KINDS["full_disk"], 30.0),
    **dict.fromkeys(KINDS["limit"], 30.0),
    "move_coordinator": 70.0,
    "roll_out": 120.0,
    **dict.fromkeys(KINDS["outside"], 40.0),
}
"""Of those that take longer than the usual ones, with the time to recover; several come in turn."""


MOST_PER_S = 1_000.0
"""Nobody asked for more who gave no rate: a backlog of its own would hide how long the recovery takes."""


def rate_around(faults: Collection[str], messages: int) -> float:
    """Records a second with which so many flow for about as long as these faults last, or longer."""
    return min(messages / sum(_LASTS_S.get(name, USUAL_S) for name in faults), MOST_PER_S)


def needs_of(faults: Collection[str]) -> frozenset[Need]:
    """All that the ground must have for these faults."""
    return frozenset(need for need, names in _NEEDS.items() if set(faults) & set(names))
