"""The rules about where a record goes: its key, the partition of its key, and whose page it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

from workers.conformance.seen import PLACE_FIELDS, TOPIC, Seen
from workers.conformance.verdict import Fault, Rule, Verdict, judge
from workers.runtime.topology import Topology

KEY = Rule(
    "key",
    "the record's key is channel:account:user of its value, in UTF-8",
    "make the key of the same three fields",
    "send a message",
)
PARTITION = Rule(
    "partition",
    "a record lies where murmur2 of its key puts it",
    "a record in another partition is forwarded, and loses its place in the order",
    "send messages of several customers to a topic with several partitions",
)
PAGE = Rule(
    "page",
    "the page is in a workspace file that was applied, and is of the workspace that is named",
    "name the page in the file and run tongdai apply; leave workspace out, it is known by the page",
    "try it with Postgres and a page that was applied",
)

Partitioner = Callable[[bytes, int], int]


def _fnv1a(key: bytes, partitions: int) -> int:
    """Of Go's Sarama, and of librdkafka when it is asked for."""
    hashed = 0x811C9DC5
    for byte in key:
        hashed = (hashed ^ byte) * 0x01000193 & 0xFFFFFFFF
    return abs(hashed - (1 << 32) if hashed >> 31 else hashed) % partitions


OTHERS: Mapping[str, tuple[Partitioner, str]] = {
    "CRC32": (
        lambda key, partitions: crc32(key) % partitions,
        "it is the default of librdkafka (confluent-kafka, kcat, …): set partitioner=murmur2_random",
    ),
    "FNV-1a": (_fnv1a, "it is the default of Sarama: give it a partitioner with murmur2"),
}


def check_placing(records: Sequence[Seen], partitions: int) -> list[Verdict]:
    """The rules about key and partition; `partitions`: how many the topic has."""
    whole = [each for each in records if each.true_key is not None]
    wrong = [
        Fault(each.place, f"the key is {_shown(each)}, {'/'.join(PLACE_FIELDS)} say {each.true_key!r}")
        for each in whole
        if each.key != (each.true_key or "").encode()
    ]
    return [judge(KEY, len(whole), wrong), _check_partition(records, partitions)]


def check_pages(records: Sequence[Seen], owners: Mapping[str, str]) -> Verdict:
    """The rule about pages; `owners`: their workspaces, of those that anybody has."""
    told = [each for each in records if each.page is not None]
    faults = []
    for each in told:
        owner, named = owners.get(each.page or ""), each.fields.get("workspace")
        if owner is None:
            faults.append(Fault(each.place, f"nobody has connected the page {each.page!r}"))
        elif named not in {None, owner}:
            faults.append(Fault(each.place, f"the page {each.page!r} is not of the workspace {named!r}"))
    return judge(PAGE, len(told), faults)


def _check_partition(records: Sequence[Seen], partitions: int) -> Verdict:
    placed = [each for each in records if each.partition is not None and partitions > 1]
    topology = Topology("", {TOPIC: partitions})
    faults = []
    for each in placed:
        right = topology.partition(TOPIC, each.key or b"") if each.key else None
        if right != each.partition:
            where = "it has no key" if right is None else f"murmur2 puts {_shown(each)} into {right}"
            faults.append(Fault(each.place, f"is in partition {each.partition}, {where}"))
    return judge(
        PARTITION, len(placed), faults, mend=_guess([each for each in placed if each.key], partitions)
    )


def _guess(keyed: Sequence[Seen], partitions: int) -> str:
    """Which other partitioner has put all of them where they lie, and what to do about it."""
    for name, (partitioner, mend) in OTHERS.items():
        if keyed and all(partitioner(each.key or b"", partitions) == each.partition for each in keyed):
            return f"all of them lie where {name} puts them: {mend}"
    return ""


def _shown(seen: Seen) -> str:
    return "missing" if seen.key is None else repr(seen.key.decode(errors="backslashreplace"))
