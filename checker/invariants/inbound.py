"""Invariant 1, first half: what must have become of each inbound record, and whether deadletter agrees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checker.facts.gestures import Gestures
from checker.facts.letters import Letter, Letters, Origin, content_of
from checker.facts.occurrences import Occurrences, identity_of
from checker.facts.own_sent import OwnSent
from checker.murmur2 import partition_of
from checker.readable import Judged, Verdict, judge
from checker.record import LogRecord, Place, shown
from checker.report import Tally
from checker.rows import PageRow

LARGE_BYTES = 500_000
"""From here on a record may be refused because an event made from it would be too large."""


class InboundCheck:
    """One walk over inbound."""

    def __init__(self, letters: Letters, pages: Mapping[str, PageRow], own: OwnSent, partitions: int) -> None:
        self.occurrences = Occurrences()
        self.gestures = Gestures()
        self.refused = Tally(1, "each unreadable or refused record is once in deadletter")
        self.accepted = Tally(1, "no readable record is in deadletter")
        self.forwarded = Tally(1, "each record in a wrong partition was forwarded to its own")
        self.records = 0
        self._letters = letters
        self._pages = pages
        self._own = own
        self._partitions = partitions
        self._answered: set[Origin] = set()
        """The places of which deadletter tells something, and that were met."""
        self._misplaced: list[tuple[int, Place]] = []

    @property
    def tallies(self) -> list[Tally]:
        return [self.refused, self.accepted, self.forwarded]

    def walk(self, records: Iterable[LogRecord]) -> None:
        """Judge every record, then what is left."""
        for record in records:
            self.records += 1
            self._see(record, judge(record, self._pages))
        for identity, place in self._misplaced:
            if identity not in self.occurrences.numbers:
                self.forwarded.fail(place[::-1], f"inbound {shown(place)} is not in its own partition")
        for topic, partition, offset in sorted(self._letters.by_origin.keys() - self._answered):
            if topic == "inbound":
                where = shown((partition, offset))
                self.refused.fail((offset,), f"deadletter tells of inbound {where}, where nothing is")

    def _see(self, record: LogRecord, judged: Judged) -> None:
        letters = self._letters.of("inbound", record.place)
        if letters:
            self._answered.add(("inbound", *record.place))
        self._check_letters(record, letters)
        misplaced = record.key is not None and record.partition != partition_of(record.key, self._partitions)
        self.forwarded.checked += misplaced
        if judged.value:
            self.gestures.see(record, judged.what, judged.value)
        if judged.verdict is Verdict.REFUSED:
            self._see_refused(record, judged, letters, misplaced=misplaced)
        elif judged.verdict is not Verdict.SKIPPED:
            self._see_readable(record, judged, letters, misplaced=misplaced)

    def _check_letters(self, record: LogRecord, letters: list[Letter]) -> None:
        if len(letters) > 1:
            self._fail_refused(record, f"is {len(letters)} times in deadletter")
        if any(letter.content != content_of(record) for letter in letters):
            self._fail_refused(record, "is changed in deadletter")

    def _see_refused(
        self, record: LogRecord, judged: Judged, letters: list[Letter], *, misplaced: bool
    ) -> None:
        self.refused.checked += 1
        forwarded = misplaced and content_of(record) in self._letters.contents
        if not letters and not forwarded:
            self._fail_refused(record, f"is not in deadletter, though {judged.why}")

    def _see_readable(
        self, record: LogRecord, judged: Judged, letters: list[Letter], *, misplaced: bool
    ) -> None:
        if letters and (judged.verdict is Verdict.EITHER or _too_large(letters[0])):
            self.refused.checked += 1
            return
        self.accepted.checked += 1
        if letters:
            reason = letters[0].reason
            self.accepted.fail(
                (record.offset, record.partition), f"inbound {shown(record.place)} was refused: {reason}"
            )
        elif not judged.value:
            self._fail_refused(record, f"is neither stored nor in deadletter, and {judged.why}")
        elif misplaced:
            identity = identity_of(judged.page, judged.value["channel_message_id"])
            self._misplaced.append((identity, record.place))
        elif not self._own.is_echoed(judged.what, judged.page, judged.value):
            self.occurrences.add(record, judged.what, judged.value, judged.page)

    def _fail_refused(self, record: LogRecord, fault: str) -> None:
        self.refused.fail((record.offset, record.partition), f"inbound {shown(record.place)} {fault}")


def _too_large(letter: Letter) -> bool:
    return letter.reason == "too_large" and letter.size_bytes >= LARGE_BYTES
