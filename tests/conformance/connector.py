"""A connector of the tests: what it publishes when it does everything right, and otherwise."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson

from schemas.ids import conversation_key
from workers.conformance.seen import Seen
from workers.runtime.topology import Topology

PARTITIONS = 4
NOW_MS = 1_795_000_000_000
ACCOUNT = "100"
PAGE = f"messenger:{ACCOUNT}"
_TOPOLOGY = Topology("", {"inbound": PARTITIONS})


def murmur2_of(key: bytes) -> int:
    return _TOPOLOGY.partition("inbound", key)


def crc32_of(key: bytes) -> int:
    return crc32(key) % PARTITIONS


class Connector:
    """Each call is a record that it publishes; fields, headers and places can be other than right."""

    def __init__(self, account: str = ACCOUNT) -> None:
        self._account = account
        self.records: list[Seen] = []
        self._numbers = itertools.count(1)

    def send(
        self,
        user: str = "an",
        id_: str | None = None,
        *,
        key: bytes | None = None,
        value: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        place: Any = murmur2_of,  # noqa: ANN401 - a partitioner
        **fields: object,
    ) -> Seen:
        """Publish a message; a header of none is left out."""
        number = next(self._numbers)
        said = {
            "channel": "messenger",
            "account": self._account,
            "user": user,
            "channel_message_id": id_ or f"m{number}",
            "text": f"text {number}",
            "sent_at_ms": NOW_MS + number,
        }
        words = {
            "ce_specversion": "1.0",
            "ce_id": f"id {number}",
            "ce_source": "connector/tests",
            "ce_type": "tongdai.inbound.message.v1",
            "content-type": "application/json",
        }
        key = conversation_key("messenger", self._account, user).encode() if key is None else key
        partition = place(key)
        seen = Seen(
            f"{partition}-{number}",
            key,
            orjson.dumps({**said, **fields}) if value is None else value,
            [
                (name, word.encode())
                for name, word in {**words, **(headers or {})}.items()
                if word is not None
            ],
            partition=partition,
            offset=number,
            timestamp_ms=NOW_MS + number + 50,
        )
        self.records.append(seen)
        return seen


def good(account: str = ACCOUNT) -> Connector:
    """Everything that can be tried, and nothing wrong with it."""
    made = Connector(account)
    files = [{"type": "image", "url": "https://cdn.example/á.jpg"}, {"type": "link", "url": "zalo:x"}]
    made.send("an", "m1", text="một", attachments=files)
    for _ in range(2):
        made.send("an", "m2", text="hai", sent_at_ms=NOW_MS + 2)
    for user in ("bình", "chi", "dung", "giang"):
        made.send(user, f"của {user}")
    return made
