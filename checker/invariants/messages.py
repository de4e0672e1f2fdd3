"""Invariant 2 on the messages topic: each conversation's lines follow one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from checker.facts.transcripts import Transcript, Transcripts
from checker.invariants.returns import Return
from checker.record import Json, LogRecord, shown
from checker.report import Tally


class MessagesCheck:
    """One walk over messages, which also collects the transcripts."""

    def __init__(self) -> None:
        self.transcripts: Transcripts = {}
        self.follows = Tally(2, "on the messages topic each line follows the one before")
        self.returns: list[Return] = []
        self.acts: Counter[tuple[str, ...]] = Counter()
        """How often each thing beside lines is told: of `read` by whom and how far."""

    def walk(self, records: Iterable[LogRecord]) -> None:
        """Read every line."""
        for record in records:
            what, event = record.what("messages"), record.json()
            if what == "read" and event["conversation"] in self.transcripts:
                self.transcripts[event["conversation"]].read(event)
            if what == "ticket_changed":
                continue  # what becomes of it is checked by tickets
            if what == "returned":
                names = (name for name in Return._fields if name != "place")
                self.returns.append(Return(**{name: event[name] for name in names}, place=record.place))
                continue  # who is told of it is checked by returns
            if what != "stored":
                self.acts[_act(what or "", event)] += 1
                continue
            transcript = self.transcripts.get(event["conversation"])
            if transcript is None:
                transcript = Transcript(event["key"], record.partition)
                self.transcripts[event["conversation"]] = transcript
            fault = _fault(transcript, event["position"], event["seq"], record)
            rank = event["position"], record.offset
            self.follows.judge(rank, fault, f"messages {shown(record.place)}")
            transcript.add(event)


def _act(what: str, event: Json) -> tuple[str, ...]:
    about = (what, event["conversation"])
    return (*about, event["agent"], str(event["position"])) if what == "read" else about


def _fault(transcript: Transcript, position: int, seq: int, record: LogRecord) -> str:
    if record.key != transcript.key.encode() or record.partition != transcript.partition:
        return "the conversation's key or partition is another one than before"
    if position != len(transcript) + 1:
        return f"position {position} comes after {len(transcript)}"
    if len(transcript) and seq < transcript.seqs[-1]:
        return f"names chain number {seq} after {transcript.seqs[-1]}"
    return ""
