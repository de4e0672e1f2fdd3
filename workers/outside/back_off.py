"""How long to wait for somebody else's server that has failed. Pure."""

from __future__ import annotations

from config.retry import Retry


def back_off_s(failures: int, retry: Retry, spread: float) -> float:
    """Seconds to wait after so many failures in a row (from 1), between half of it and all.

    `spread`, from 0 to 1, is chance, so that servers are not met by all that waited at once.
    """
    whole = min(retry.last_s, retry.first_s * 2.0 ** min(failures - 1, 60))
    return whole * (0.5 + 0.5 * spread)
