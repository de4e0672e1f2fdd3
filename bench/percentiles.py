"""Percentiles of latencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bench.failures import BenchError


@dataclass(frozen=True)
class Percentiles:
    """Of `count` latencies, in milliseconds; by the nearest rank."""

    count: int
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, latencies_ms: Sequence[float]) -> Self:
        """Raises BenchError when there is none."""
        if not latencies_ms:
            raise BenchError("nothing arrived: there is no latency to tell")
        ordered = sorted(latencies_ms)
        p50, p95, p99 = (round(ordered[-(-len(ordered) * p // 100) - 1], 1) for p in (50, 95, 99))
        return cls(len(ordered), p50, p95, p99)
