"""The rules about ids and order: what is sent again is the same message, and one comes after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import orjson

from workers.conformance.seen import EARLIEST_MS, Seen
from workers.conformance.verdict import Fault, Rule, Verdict, judge

IDS = Rule(
    "ids",
    "a channel_message_id stands for one message of its page",
    "take the channel's own id: the second message with it counts as a repetition, and is lost",
    "send two messages",
)
RETRIES = Rule(
    "retries",
    "a message that is sent again has the same channel_message_id",
    "take the channel's own id, not one that is made with each try: else it is in the transcript twice",
    "have the connector send one message again, as when no acknowledgement had come",
)
ORDER = Rule(
    "order",
    "a customer's messages lie in the order in which he sent them",
    "publish one customer's messages one after the other, with acks=all and idempotence",
    "send two messages of one customer, with sent_at_ms",
)


Key = tuple[str, str]
"""Page and id of a message."""


def check_repeating(records: Sequence[Seen]) -> list[Verdict]:
    """All three rules; the records of each partition in their order."""
    tries: defaultdict[Key, list[Seen]] = defaultdict(list)
    for each in records:
        if each.message is not None:
            tries[each.message].append(each)
    count = sum(map(len, tries.values()))
    repeated = sum(len(group) for group in tries.values() if len(group) > 1 and not _is_mixed(group))
    firsts = [group[0] for group in tries.values()]
    lines = _lines(firsts)
    return [
        judge(IDS, count if count > 1 else 0, _mixed(tries)),
        judge(RETRIES, repeated, _renamed(firsts)),
        judge(ORDER, sum(map(len, lines)), _turned(lines)),
    ]


def _is_mixed(group: Sequence[Seen]) -> bool:
    return len({each.content for each in group}) > 1


def _mixed(tries: Mapping[Key, Sequence[Seen]]) -> Iterator[Fault]:
    for (_, id_), group in tries.items():
        other = next((each for each in group if each.content != group[0].content), None)
        if other is not None:
            yield Fault(other.place, f"has the id {id_!r} of {group[0].place}, and says something else")


def _renamed(firsts: Sequence[Seen]) -> Iterator[Fault]:
    """The same words of the same customer and moment, or of event of the channel, under two ids."""
    known: dict[bytes, Seen] = {}
    for each in firsts:
        for mark in _marks(each):
            other = known.setdefault(mark, each)
            if other is not each:
                ids = f"{other.fields['channel_message_id']!r} and now {each.fields['channel_message_id']!r}"
                yield Fault(each.place, f"is the message of {other.place} again: its id was {ids}")
                break


def _marks(seen: Seen) -> Iterator[bytes]:
    """What two tries of one message have in common, whatever their ids."""
    if seen.sent_at_ms is not None:
        yield orjson.dumps(["moment", seen.page, seen.content.decode(), seen.sent_at_ms])
    if seen.fields.get("raw"):
        event = ["event", seen.page, seen.content.decode(), seen.fields["raw"]]
        yield orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def _lines(firsts: Sequence[Seen]) -> list[list[Seen]]:
    """Of each customer with several messages those whose time is known, as they lie in one partition."""
    lines: defaultdict[tuple[str | None, int | None], list[Seen]] = defaultdict(list)
    for each in firsts:
        if each.true_key is not None and (each.sent_at_ms or 0) >= EARLIEST_MS:
            lines[each.true_key, each.partition].append(each)
    return [line for line in lines.values() if len(line) > 1]


def _turned(lines: Sequence[Sequence[Seen]]) -> Iterator[Fault]:
    for line in lines:
        for before, after in pairwise(line):
            if (after.sent_at_ms or 0) < (before.sent_at_ms or 0):
                yield Fault(after.place, f"was sent before {before.place}, and lies behind it")
