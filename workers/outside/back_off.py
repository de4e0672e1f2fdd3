"""How long to wait for somebody else's server that has failed. Pure."""

from __future__ import annotations


def back_off_s(failures: int, spread: float, first_s: float, max_s: float) -> float:
    """Seconds to wait after so many failures in a row (from 1), between half of it and all.

    Doubles from `first_s` up to `max_s`; `spread` from 0 to 1 is chance, so that servers are not met by all
    that waited at once.
    """
    whole = min(max_s, first_s * 2.0 ** min(failures - 1, 60))
    return whole * (0.5 + 0.5 * spread)
