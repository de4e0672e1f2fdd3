"""What some faults need of the machine beside Python, and what to do where it is not there."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from faults.catalogue import Need, needs_of

PLACES = (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib"))
NO_CLOCKS = "clocks cannot be set: install libfaketime (apt-get install libfaketime)"
_LIBRARY = "faketime/libfaketimeMT.so.1"


def libfaketime() -> Path | None:
    """The library by which a process gets a clock of its own; none: it is not installed."""
    patterns = _LIBRARY, f"*/{_LIBRARY}"
    return next((found for place in PLACES for each in patterns for found in place.glob(each)), None)


def missing(faults: Collection[str]) -> list[str]:
    """Why runs with some of these faults would break off on this machine; a line for each need."""
    needs = needs_of(faults)
    found = []
    if Need.CLOCKS in needs and libfaketime() is None:
        found.append(NO_CLOCKS)
    if Need.SMALL_DISKS in needs and os.geteuid():
        found.append("small disks cannot be mounted: that takes root")
    return found
