"""Invariants 2, 3 and 4, while all is at work: whatever Postgres shows then is a beginning of the end."""

from __future__ import annotations

from checker.facts.chains import Chain, Chains
from checker.facts.transcripts import Transcripts
from checker.record import Json
from checker.report import Tally

_STANDS = ("position", "seq", "epoch", "the desk's seq", "the desk's epoch")
_NONE: Json = {"seq": 0, "event": None, "epoch": 0, "holder": None}
"""Before the first event."""


class SnapshotsCheck:
    """Reads each snapshot once, and keeps how each conversation stood in the last one that showed it."""

    def __init__(self, chains: Chains, transcripts: Transcripts) -> None:
        self.prefix = Tally(2, "each snapshot shows the positions 1, 2, 3, … up to the conversation's")
        self.prefix.facts = {"snapshots": 0}
        self.kept = Tally(2, "each line that a snapshot shows stands there in the end")
        self.forward = Tally(3, "no snapshot shows a conversation as it was before an earlier one")
        self.rows = Tally(4, "each snapshot shows the rows of desk and intake as after an event of the chain")
        self._chains = chains
        self._transcripts = transcripts
        self._stood: dict[str, tuple[int, ...]] = {}

    @property
    def tallies(self) -> list[Tally]:
        return [self.prefix, self.kept, self.forward, self.rows]

    def see(self, line: Json) -> None:
        """One snapshot."""
        self.prefix.facts["snapshots"] += 1
        number = self.prefix.facts["snapshots"]
        for one in line["conversations"]:
            name, chain = one["conversation"], self._chains.get(one["conversation"])
            rank, where = (one["position"], number), f"conversation {name}, snapshot {number}"
            self.prefix.judge(rank, _gap(one), where)
            self.kept.judge(rank, self._loss(one), where)
            self.forward.judge(rank, self._return(one), where)
            self.rows.judge(rank, _row_fault(one, chain), where)

    def _loss(self, one: Json) -> str:
        """A line that is another one in the end, or none; only the last ones are shown with their ids."""
        transcript, messages = self._transcripts.get(one["conversation"]), one["messages"]
        last = one["positions"][len(one["positions"]) - len(messages) :]
        for position, message in zip(last, messages, strict=True):
            if transcript is None or not transcript.has(position, message):
                return f"position {position} was {message}, which is not there"
        return ""

    def _return(self, one: Json) -> str:
        desk = one["desk"] or _NONE
        stands = (one["position"], one["seq"], one["epoch"], desk["seq"], desk["epoch"])
        stood = self._stood.get(one["conversation"], stands)
        self._stood[one["conversation"]] = stands
        changes = zip(_STANDS, stood, stands, strict=True)
        return ", ".join(f"{name} goes back from {was} to {now}" for name, was, now in changes if now < was)


def _gap(one: Json) -> str:
    for expected, position in enumerate(one["positions"], start=1):
        if position != expected:
            return f"position {position} instead of {expected}"
    lines = len(one["positions"])
    return "" if lines == one["position"] else f"{lines} lines, its row says {one['position']}"


def _row_fault(one: Json, chain: Chain | None) -> str:
    """Rows are stored before their events are published: those may come later, but are there in the end."""
    desk = one["desk"] or _NONE
    if one["seq"] > desk["seq"]:
        return f"intake has applied event {one['seq']}, the desk has decided {desk['seq']}"
    return _unlike("intake", one, chain) or _unlike("the desk", desk, chain)


def _unlike(whose: str, row: Json, chain: Chain | None) -> str:
    """What a row has otherwise than the event that it names; intake's do not name its id."""
    link, expected = chain.at(row["seq"]) if chain else None, _NONE
    if link is not None:
        expected = {"seq": link.seq, "event": link.id, "epoch": link.epoch, "holder": link.holder}
    wrong = [
        f"{name} {row[name]} (events: {value})"
        for name, value in expected.items()
        if name in row and row[name] != value
    ]
    return f"{whose} has {', '.join(wrong)}" if wrong else ""
