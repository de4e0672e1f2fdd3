"""Who runs: the program of each, and how far it must come."""

from __future__ import annotations

from dataclasses import dataclass

from bench.program import TONGDAI


@dataclass(frozen=True)
class Contestant:
    """One way to do the job.

    Attributes:
        name: in reports.
        label: what people read.
        arguments: what Python is started with.
        group: the consumer group whose offsets tell how far it is, without the prefix; none: its offsets
            are committed some seconds late, so rows are counted instead.
        limited: it is stopped after a while, wherever it is.
        own_desk: it reads the roster from commands; the others find the rotation in a table.
    """

    name: str
    label: str
    arguments: tuple[str, ...]
    group: str | None = None
    limited: bool = False
    own_desk: bool = False


BARE = Contestant("bare", "bare pipeline", ("-m", "bench.peers.bare"), group="bare")
OURS = Contestant(
    "ours", "Tongdai: intake + desk", (*TONGDAI, "worker", "routing"), group="intake", own_desk=True
)
FASTSTREAM = Contestant(
    "faststream", "FastStream, 16 workers", ("-m", "bench.peers.faststream_each"), limited=True
)
FASTSTREAM_BATCH = Contestant(
    "faststream_batch", "FastStream, batch=True", ("-m", "bench.peers.faststream_batch"), limited=True
)
FAUST = Contestant(
    "faust",
    "Faust agent",
    ("-m", "bench.peers.faust_agent", "worker", "--without-web", "--loglevel", "warn"),
    limited=True,
)
CONTESTANTS = (BARE, OURS, FASTSTREAM, FASTSTREAM_BATCH, FAUST)
"""In the order in which they run; `ours` beside the one that it is held against first."""
LABELS = {contestant.name: contestant.label for contestant in CONTESTANTS}
