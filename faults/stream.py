"""The messages of a run, invented from a seed: duplicates, unreadable and misplaced records among them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import orjson

from checker.murmur2 import partition_of
from faults.town import FOREIGN_WORKSPACE, PAGES, STRANGE_PAGE

NEW_CONVERSATION = 0.1
DUPLICATE, UNREADABLE, MISPLACED, ECHO, POSTBACK, OTHER = 0.05, 0.01, 0.005, 0.01, 0.01, 0.01
RECENT = 2_000
"""Customers and records that are still talked to, or sent again."""

_WEIGHTS = (38, 34, 11, 3, 8, 6)
_TALK = "còn hàng không shop ơi giá bao nhiêu ship về quận bảy cảm ơn nhé size màu xanh cho em hỏi"
_WORDS = _TALK.split()


class Planned(NamedTuple):
    """A record to be sent; an empty key is none. `partition` is given when the key shall not decide it."""

    kind: str
    key: str
    id: str
    value: bytes
    ce_type: str | None
    partition: int | None = None

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The CloudEvents headers."""
        found = [("ce_specversion", b"1.0"), ("ce_id", self.id.encode()), ("ce_source", b"faults")]
        if self.ce_type is not None:
            found.append(("ce_type", self.ce_type.encode()))
        return found


class Stream:
    """An endless iterator of records; the same seed gives the same ones."""

    def __init__(self, seed: int, partitions: int) -> None:
        self._random = random.Random(seed)
        self._partitions = partitions
        self._customers: list[tuple[str, str]] = []
        self._sent: list[Planned] = []
        self._count = 0

    def __iter__(self) -> Iterator[Planned]:
        while True:
            planned = self._next()
            if planned.kind == "message":
                self._sent = [*self._sent[-RECENT:], planned] if len(self._sent) > 2 * RECENT else self._sent
                self._sent.append(planned)
            yield planned

    def _next(self) -> Planned:
        draw = self._random.random()
        if draw < DUPLICATE and self._sent:
            return self._random.choice(self._sent[-RECENT:])._replace(kind="duplicate")
        self._count += 1
        for share, make in (
            (UNREADABLE, self._unreadable),
            (MISPLACED, self._misplaced),
            (ECHO, self._echo),
            (POSTBACK, self._postback),
            (OTHER, self._other),
        ):
            if self._random.random() < share:
                return make()
        return self._message()

    def _customer(self) -> tuple[str, str]:
        if not self._customers or self._random.random() < NEW_CONVERSATION:
            (page,) = self._random.choices(PAGES, _WEIGHTS)
            self._customers.append((page, f"u{self._count}"))
            return self._customers[-1]
        return self._random.choice(self._customers[-RECENT:])

    def _said(self) -> tuple[str, dict[str, object]]:
        page, user = self._customer()
        channel, account = page.split(":")
        words = self._random.choices(_WORDS, k=self._random.randint(1, 12))
        return f"{page}:{user}", {
            "channel": channel,
            "account": account,
            "user": user,
            "channel_message_id": f"m{self._count}",
            "sent_at_ms": 1_795_000_000_000 + self._count,
            "text": " ".join(words),
            "raw": {"mid": f"m{self._count}"},
        }

    def _message(self) -> Planned:
        key, value = self._said()
        return self._planned("message", key, value)

    def _echo(self) -> Planned:
        key, value = self._said()
        return self._planned("echo", key, value | {"author": self._random.choice(["bot", "human"])})

    def _postback(self) -> Planned:
        key, value = self._said()
        return self._planned("postback", key, value | {"payload": "MUA_NGAY"})

    def _other(self) -> Planned:
        key, value = self._said()
        known = {name: value[name] for name in ("channel", "account", "user")}
        return self._planned("other", key, known | {"event": "read"})

    def _misplaced(self) -> Planned:
        planned = self._message()
        right = partition_of(planned.key.encode(), self._partitions)
        wrong = (right + self._random.randrange(1, self._partitions)) % self._partitions
        return planned._replace(kind="misplaced", partition=wrong)

    def _unreadable(self) -> Planned:
        key, value = self._said()
        planned = self._planned("message", key, value)._replace(kind="unreadable")
        strange = value | {"account": STRANGE_PAGE.split(":")[1], "channel": "messenger"}
        mistakes = (
            planned._replace(value=planned.value[:-1]),
            planned._replace(value=b"[" * 300),
            planned._replace(ce_type=None),
            planned._replace(ce_type="tongdai.inbound.unheard.v1"),
            planned._replace(value=orjson.dumps(value | {"text": "a\x00b"})),
            planned._replace(value=orjson.dumps(value | {"user": "somebody-else"})),
            planned._replace(value=orjson.dumps(value | {"workspace": FOREIGN_WORKSPACE})),
            planned._replace(value=orjson.dumps(strange), key=f"{STRANGE_PAGE}:{value['user']}"),
        )
        return self._random.choice(mistakes)

    def _planned(self, what: str, key: str, value: dict[str, object]) -> Planned:
        id_ = f"{what}-{self._count}"
        return Planned(what, key, id_, orjson.dumps(value), f"tongdai.inbound.{what}.v1")
