"""Invariant 8, at its end: an agent's sockets show him each of his notices once, in order, without a gap."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from checker.facts.history import History
from checker.record import LogRecord
from checker.report import Tally


class SeenCheck:
    """Watches notifications while others read them."""

    def __init__(self, history: History) -> None:
        self.personal = Tally(
            8, "each agent sees each notice to him once, in order, from his first to the last"
        )
        self.once = Tally(8, "nobody sees a notice twice, or one that is on no topic")
        self._seen = history.seen
        self._to: dict[str, list[str]] = defaultdict(list)
        self._known: set[str] = set()

    @property
    def tallies(self) -> list[Tally]:
        return [self.personal, self.once]

    def watch(self, records: Iterable[LogRecord]) -> Iterator[LogRecord]:
        """Pass the records on; then compare them with what was seen."""
        for record in records:
            notice = str(record.json()["notice"])
            self._known.add(notice)
            self._to[(record.key or b"").decode()].append(notice)
            yield record
        for actor, seen in self._seen.items():
            self._check_once(actor, seen)
            self._check_personal(actor, seen)

    def _check_once(self, actor: str, seen: Iterable[str | None]) -> None:
        counted = Counter(notice for notice in seen if notice is not None)
        self.once.checked += len(counted)
        for notice, count in counted.items():
            if count > 1 or notice not in self._known:
                fault = f"{count} times" if count > 1 else "which nobody was told"
                self.once.fail((count,), f"{actor} saw notice {notice} {fault}")

    def _check_personal(self, actor: str, seen: Iterable[str | None]) -> None:
        """A `None` allows a gap before what comes next: he was told to load his lists anew."""
        told = self._to.get(actor, [])
        number_of = {notice: number for number, notice in enumerate(told)}
        expected: int | None = None
        for notice in seen:
            if notice is None:
                expected = None
                continue
            number = number_of.get(notice)
            if number is None:
                continue  # to an audience
            self.personal.checked += 1
            if expected is not None and number != expected:
                self.personal.fail(
                    (number,), f"{actor} saw his notice {number} where {expected} was the next"
                )
            expected = number + 1
        if expected is not None and expected != len(told):
            self.personal.fail((len(told) - expected,), f"{actor} saw {expected} of his {len(told)} notices")
