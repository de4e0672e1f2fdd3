"""Who had the machine's processors while a run lasted: of how a run fared beside others little is known."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

STAT = Path("/proc/stat")
_IDLE = (3, 4)
"""Places of what nobody used, and of what waited for a disk, among the times of `cpu`."""


class Processors:
    """Counts from its making on."""

    def __init__(self) -> None:
        self._began, self._busy_s, self._own_s = time.monotonic(), busy_s(STAT.read_text()), _own_s()

    def others_share(self) -> float:
        """What others had, from 0 to 1: all but this process and those of its children that have ended."""
        all_s = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        others_s = busy_s(STAT.read_text()) - self._busy_s - (_own_s() - self._own_s)
        return round(min(1.0, max(0.0, others_s / all_s)), 2)


def busy_s(stat: str) -> float:
    """Seconds that all processors together have worked since the machine began, as `/proc/stat` says."""
    times = [int(each) for each in stat.splitlines()[0].split()[1:9]]
    return (sum(times) - sum(times[place] for place in _IDLE)) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
