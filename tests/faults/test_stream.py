"""The invented messages: the same from the same seed, in the announced proportions."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from checker.murmur2 import partition_of
from checker.readable import Verdict, judge
from checker.record import LogRecord
from checker.rows import PageRow
from faults.stream import Planned, Stream
from faults.town import DESK, PAGES, WORKSPACE

PARTITIONS = 12
REGISTRY = {page: PageRow(page, WORKSPACE, DESK, 0) for page in PAGES}


def sent(seed: int, count: int) -> list[Planned]:
    """The first records of a stream."""
    return list(islice(Stream(seed, PARTITIONS), count))


def verdict(planned: Planned) -> Verdict:
    """What the checker will expect of a record."""
    headers = tuple(planned.headers)
    return judge(LogRecord(0, 0, 10_000_000, planned.key.encode(), planned.value, headers), REGISTRY).verdict


def test_the_same_seed_gives_the_same_records() -> None:
    assert sent(7, 500) == sent(7, 500)
    assert sent(7, 500) != sent(8, 500)


def test_the_proportions_are_those_of_the_campaign() -> None:
    records = sent(1, 20_000)
    kinds = Counter(record.kind for record in records)
    assert 0.045 < kinds["duplicate"] / len(records) < 0.055
    assert 0.007 < kinds["unreadable"] / len(records) < 0.013
    assert 0.085 < len({record.key for record in records}) / len(records) < 0.115


def test_only_the_unreadable_ones_are_refused() -> None:
    for record in sent(2, 5_000):
        refused = verdict(record) is Verdict.REFUSED
        assert refused == (record.kind == "unreadable"), record


def test_misplaced_records_lie_in_a_wrong_partition() -> None:
    misplaced = [record for record in sent(3, 5_000) if record.kind == "misplaced"]
    assert misplaced
    assert all(record.partition != partition_of(record.key.encode(), PARTITIONS) for record in misplaced)
