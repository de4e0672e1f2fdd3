"""What some faults need of the machine beside Python, and what to do where it is not there."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from faults.catalogue import Need, needs_of

_PLACES = ("/usr/lib", "/usr/lib64", "/usr/local/lib")


def libfaketime() -> Path | None:
    """The library by which a process gets a clock of its own; none: it is not installed."""
    found = (place for root in _PLACES for place in Path(root).glob("**/faketime/libfaketimeMT.so.1"))
    return next(found, None)


def missing(faults: Collection[str]) -> list[str]:
    """Why runs with some of these faults would break off on this machine; a line for each need."""
    needs = needs_of(faults)
    found = []
    if Need.CLOCKS in needs and libfaketime() is None:
        found.append("clocks cannot be set: install libfaketime (apt-get install libfaketime)")
    if Need.SMALL_DISKS in needs and os.geteuid():
        found.append("small disks cannot be mounted: that takes root")
    return found
