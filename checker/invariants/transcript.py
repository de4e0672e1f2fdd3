"""Invariants 1 and 2: the table of messages against inbound, and line by line against the messages topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from checker.facts.occurrences import Occurrences, content_of, identity_of
from checker.facts.transcripts import Transcript, Transcripts, row_digest
from checker.invariants.lines import LinesCheck
from checker.report import Tally
from checker.rows import ConversationRow, MessageRow

ERASED = "erased"
"""The code of a line whose words were taken away on request: it still stands where it stood."""


class TranscriptCheck:
    """One walk over the table `message`, by conversation and position."""

    def __init__(
        self,
        occurrences: Occurrences,
        transcripts: Transcripts,
        conversations: Mapping[str, ConversationRow],
        lines: LinesCheck,
    ) -> None:
        self._occurrences = occurrences
        self._transcripts = transcripts
        self._conversations = conversations
        self._lines = lines
        self.stored = Tally(1, "each distinct message is once in the transcript")
        self.genuine = Tally(1, "each message in the transcript was sent, by this customer and so worded")
        self.positions = Tally(2, "positions are 1, 2, 3, … without gaps")
        self.order = Tally(2, "the order of the transcript is the order of the lane")
        self.published = Tally(2, "the messages topic says what the table says, line by line")

    @property
    def tallies(self) -> list[Tally]:
        return [self.stored, self.genuine, self.positions, self.order, self.published]

    def walk(self, rows: Iterator[MessageRow]) -> None:
        """Check every line, then what has none."""
        found = 0
        for conversation, lines in groupby(rows, key=lambda row: row.conversation):
            found += 1
            self._conversation(conversation, list(lines))
        self._unstored()
        if found < len(self._transcripts):
            self.published.fail((0,), f"{len(self._transcripts) - found} conversations are on the topic only")

    def _conversation(self, conversation: str, lines: list[MessageRow]) -> None:
        known = self._conversations.get(conversation)
        published = self._transcripts.get(conversation)
        self._check_positions(conversation, lines, known)
        self._check_published(conversation, lines, published)
        if known is None:
            self.genuine.fail((len(lines),), f"conversation {conversation} has lines but no row")
            return
        last = -1
        for line in lines:
            if line.channel_message_id is None:
                self._lines.see(line)
            else:
                last = self._check_message(known.key, line, last, len(lines))

    def _check_positions(
        self, conversation: str, lines: list[MessageRow], known: ConversationRow | None
    ) -> None:
        self.positions.checked += len(lines)
        for expected, line in enumerate(lines, start=1):
            if line.position != expected:
                self.positions.fail(
                    (len(lines), expected),
                    f"conversation {conversation} has position {line.position} instead of {expected}",
                )
                return
        if known is not None and known.position != len(lines):
            self.positions.fail(
                (len(lines),),
                f"conversation {conversation} has {len(lines)} lines, its row says {known.position}",
            )

    def _check_published(
        self, conversation: str, lines: list[MessageRow], published: Transcript | None
    ) -> None:
        self.published.checked += len(lines)
        count = 0 if published is None else len(published)
        if published is None or count != len(lines):
            self.published.fail(
                (len(lines),), f"conversation {conversation} has {len(lines)} lines, on the topic {count}"
            )
            return
        for line, digest in zip(lines, published.digests, strict=True):
            if line.code != ERASED and row_digest(line) != digest:
                self.published.fail(
                    (len(lines), line.position),
                    f"conversation {conversation}, position {line.position}: the topic says something else",
                )
                return

    def _check_message(self, key: str, line: MessageRow, last: int, size: int) -> int:
        """Check one message; returns the offset of the inbound record that it comes from."""
        where = f"conversation {line.conversation}, position {line.position}"
        self.genuine.checked += 1
        identity = identity_of(line.page, line.channel_message_id or "")
        number = self._occurrences.find(identity, key)
        if number is None:
            self.genuine.fail((size, line.position), f"{where}: nobody sent {line.channel_message_id!r}")
            return last
        if self._occurrences.stored[number]:
            self.stored.fail((size, line.position), f"{where}: {line.channel_message_id!r} a second time")
            return last
        self._occurrences.stored[number] = 1
        if (
            line.kind == "text"
            and line.code != ERASED
            and content_of(line.sender, line.body) != self._occurrences.content(number)
        ):
            shown = self._occurrences.shown(number)
            self.genuine.fail((size, line.position), f"{where}: {shown} says something else")
        return self._check_order(where, number, last, (size, line.position))

    def _check_order(self, where: str, number: int, last: int, rank: tuple[int, int]) -> int:
        _, offset = self._occurrences.place(number)
        fault = f"comes from offset {offset}, the line before from {last}" if offset < last else ""
        self.order.judge(rank, fault, where)
        return max(last, offset)

    def _unstored(self) -> None:
        self.stored.checked += len(self._occurrences)
        for number in self._occurrences.missing():
            partition, offset = self._occurrences.place(number)
            self.stored.fail((offset, partition), f"{self._occurrences.shown(number)} is not stored")
        for number in self._occurrences.twice():
            partition, offset = self._occurrences.place(number)
            self.stored.fail((offset, partition), f"{self._occurrences.shown(number)} is in two transcripts")
