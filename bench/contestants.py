"""Who runs: the program of each, and how far it must come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.peers.streams import build as streams
from bench.program import TONGDAI
from config.settings import Settings


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
        tables: it stores in Postgres; otherwise what it has published is all there is to check.
        prepare: gets what it needs beside Python, before anything is started.
        copies: so many processes of it share the work.
    """

    name: str
    label: str
    arguments: tuple[str, ...]
    group: str | None = None
    limited: bool = False
    own_desk: bool = False
    tables: bool = True
    prepare: Callable[[Settings], None] | None = None
    copies: int = 1


BARE = Contestant("bare", "bare pipeline", ("-m", "bench.peers.bare"), group="bare")
OURS = Contestant(
    "ours", "Tongdai: intake + desk", (*TONGDAI, "worker", "routing"), group="intake", own_desk=True
)
OURS_TWICE = replace(OURS, name="ours_twice", label="Tongdai, two workers", copies=2)
STREAMS = Contestant(
    "streams",
    "Kafka Streams, no Postgres",
    ("-m", "bench.peers.streams"),
    group="streams",
    tables=False,
    prepare=streams.prepare,
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
CONTESTANTS = (BARE, OURS, OURS_TWICE, STREAMS, FASTSTREAM, FASTSTREAM_BATCH, FAUST)
"""In the order in which they run; `ours` beside the one that it is held against first."""
LABELS = {contestant.name: contestant.label for contestant in CONTESTANTS}
