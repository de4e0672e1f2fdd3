"""Invariant 8 for pages: each time one is paused, or goes on, its admins are told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from checker.record import Json, LogRecord, shown
from checker.report import Rank, Tally

STANDS = "page_stands"
PAUSED, RESUMED = "page_paused", "page_resumed"


class News(NamedTuple):
    """How a page stands from some moment on."""

    conversation: str
    page: str
    paused: str | None
    at: str


class PageNoticesCheck:
    """Watches receipts while others read them, then the notices to pages' admins."""

    def __init__(self) -> None:
        self.once = Tally(8, "each time a page is paused or goes on is on receipts once")
        self.told = Tally(8, "each time a page is paused or goes on its admins are told so once")
        self._told: dict[News, int] = {}

    @property
    def tallies(self) -> list[Tally]:
        return [self.once, self.told]

    def watch(self, records: Iterable[LogRecord]) -> Iterator[LogRecord]:
        """Pass on those that speak of messages."""
        seen: Counter[tuple[object, ...]] = Counter()
        for record in records:
            if record.what("receipts") != STANDS:
                yield record
                continue
            value = record.json()
            news = News(value["conversation"], value["page"], value.get("paused"), value["at"])
            self._told[news] = 0
            seen[news[1:]] += 1
            is_once = seen[news[1:]] == 1 and record.key == value["key"].encode()
            fault = "" if is_once else f"{news} again, or under another key"
            self.once.judge(record.place[::-1], fault, f"receipts {shown(record.place)}")

    def notice(self, what: str, notice: Json, where: str, rank: Rank) -> None:
        """The admins of a page are told."""
        news = News(notice["conversation"], notice["page"], notice.get("reason"), notice["at"])
        said = RESUMED if news.paused is None else PAUSED
        if news not in self._told or (what, notice["audience"]) != (said, f"admins:{news.page}"):
            self.told.fail(rank, f"{where}: {what}, but receipts does not say so: {news}")
            return
        self._told[news] += 1
        if self._told[news] > 1:
            self.told.fail(rank, f"{where}: {news} for the second time")

    def finish(self) -> None:
        """What was not told."""
        for news, times in self._told.items():
            self.told.judge((0,), "" if times else f"nobody was told: {news}")
