"""All rules, tried on what a connector has published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from workers.conformance.addresses import check_addresses
from workers.conformance.carrying import Carrying, check_carrying
from workers.conformance.envelope import check_envelope
from workers.conformance.fate import OUTCOME, Fate, check_fates
from workers.conformance.placing import PAGE, check_pages, check_placing
from workers.conformance.repeating import check_repeating
from workers.conformance.seen import Seen
from workers.conformance.value import check_values
from workers.conformance.verdict import Verdict, judge


class Followed(NamedTuple):
    """What the workspace and its workers made of the records."""

    owners: Mapping[str, str]
    """The workspace of each page that somebody has connected."""
    fates: Sequence[Fate]


def check(
    records: Sequence[Seen], partitions: int, followed: Followed | str, carrying: Carrying | None = None
) -> list[Verdict]:
    """Every rule.

    Args:
        records: those of each partition in their order.
        partitions: how many inbound has.
        followed: what became of them; or why that cannot be known.
        carrying: how it carries answers; none: nobody asks it to.
    """
    if isinstance(followed, str):
        page, outcome = (judge(rule, 0, (), attempt=followed) for rule in (PAGE, OUTCOME))
    else:
        page, outcome = check_pages(records, followed.owners), check_fates(followed.fates)
    return [
        *check_envelope(records),
        *check_values(records),
        check_addresses(records),
        *check_placing(records, partitions),
        page,
        *check_repeating(records),
        outcome,
        *([] if carrying is None else check_carrying(carrying)),
    ]
