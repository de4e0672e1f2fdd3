"""Where the time goes: what the workers' own metrics say of their batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

_STORE, _PUBLISH = "tongdai_store_seconds", "tongdai_publish_seconds"
_RECORDS = "tongdai_batch_records"

Counts = Mapping[tuple[str, str], float]
"""By sample and kind of lane, e.g. `("tongdai_store_seconds_sum", "desk")`."""


@dataclass(frozen=True)
class Stage:
    """Means over the batches of one kind of lane: Postgres and Kafka transaction in milliseconds."""

    kind: str
    batches: int
    records: float
    store_ms: float
    publish_ms: float


async def read_counts(ports: list[int]) -> Counts:
    """What the workers with these health ports have counted so far, together."""
    counts: dict[tuple[str, str], float] = {}
    async with httpx.AsyncClient() as client:
        for port in ports:
            answer = await client.get(f"http://127.0.0.1:{port}/metrics")
            for family in text_string_to_metric_families(answer.text):
                for sample in family.samples:
                    if sample.name.endswith(("_sum", "_count")):
                        of = sample.name, sample.labels.get("kind", "")
                        counts[of] = counts.get(of, 0.0) + sample.value
    return counts


def stages_between(before: Counts, after: Counts) -> list[Stage]:
    """The stages of the batches that lie between two readings."""
    kinds = sorted({kind for name, kind in after if name.startswith(_STORE)})
    return [stage for kind in kinds if (stage := _stage(kind, before, after)).batches]


def _stage(kind: str, before: Counts, after: Counts) -> Stage:
    def grown(name: str) -> float:
        return after.get((name, kind), 0.0) - before.get((name, kind), 0.0)

    def mean(name: str) -> float:
        return grown(f"{name}_sum") / max(1.0, grown(f"{name}_count"))

    return Stage(
        kind,
        int(grown(f"{_STORE}_count")),
        round(mean(_RECORDS), 1),
        round(mean(_STORE) * 1000, 1),
        round(mean(_PUBLISH) * 1000, 1),
    )
