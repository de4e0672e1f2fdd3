"""Who had the processors while a contestant ran."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.machine import cpu_s, family_cpu_s, idle_cpu_s
from bench.program import Program


class Accounts(NamedTuple):
    """Seconds of processors, by who had them. None: a server is on another machine."""

    own: float
    """The contestant's own processes."""
    postgres: float | None = None
    kafka: float | None = None
    benchmark: float | None = None
    """The process that watches."""
    idle: float | None = None
    """Nobody."""

    def since(self, begun: Accounts) -> Accounts:
        """What came to each since then."""
        pairs = zip(self, begun, strict=True)
        own, *others = (None if now is None or then is None else now - then for now, then in pairs)
        assert own is not None
        return Accounts(own, *others)


def accounts(programs: Sequence[Program], postgres: int, kafka: int | None) -> Accounts:
    """So far. `postgres` is a backend's process id, `kafka` the broker's, if it is here."""
    return Accounts(
        own=sum(program.cpu_s() for program in programs),
        postgres=family_cpu_s(postgres),
        kafka=None if kafka is None else cpu_s(kafka),
        benchmark=time.process_time(),
        idle=idle_cpu_s(),
    )
