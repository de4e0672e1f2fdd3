"""How long this process has been running: what a person has waited since typing the command."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/self/stat")
_IMPORTED = time.monotonic()


def process_age_s() -> float:
    """Seconds since the start of this process; where there is no /proc, since this module was imported."""
    if not _STAT.exists():
        return time.monotonic() - _IMPORTED
    # Behind the name, which may hold anything, follows field 3; field 22 is the start in ticks since boot.
    ticks = int(_STAT.read_text().rpartition(")")[2].split()[22 - 3])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
