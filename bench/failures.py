"""How a benchmark fails."""

from __future__ import annotations

from config.errors import TongdaiError


class BenchError(TongdaiError):
    """A contestant ended, stood still or did another job than it should have: there is no figure."""
