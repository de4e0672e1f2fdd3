"""Invariant 3: one chain of assignment events per conversation, at most one holder, epochs and care."""

from __future__ import annotations

from collections.abc import Iterable

from checker.facts.chains import Chain, Chains, Link, link_of
from checker.invariants.races import ReplyRefused
from checker.record import LogRecord, shown
from checker.report import Tally

_NOBODY = {"new", "waiting"}


class ChainCheck:
    """One walk over assignments, which also collects the chains."""

    def __init__(self) -> None:
        self.chains: Chains = {}
        self.refusals: list[ReplyRefused] = []
        self.linked = Tally(3, "each chain counts 1, 2, 3, … and each event names the one before")
        self.epochs = Tally(3, "the epoch rises with each new holder and only then")
        self.care = Tally(3, "no agent ⇔ new or waiting, and held ⇔ an agent")

    @property
    def tallies(self) -> list[Tally]:
        return [self.linked, self.epochs, self.care]

    def walk(self, records: Iterable[LogRecord]) -> None:
        """Read every event."""
        for record in records:
            event = record.json()
            if record.what("assignments") == "reply_refused":  # it stands beside the chain
                about = (event["cause"]["offset"], event["conversation"])
                self.refusals.append(ReplyRefused(*about, event["command"], event["code"]))
                continue
            link = link_of(record, record.what("assignments") or "", event)
            chain = self.chains.get(event["conversation"])
            if chain is None:
                chain = self.chains[event["conversation"]] = Chain(event, record.partition)
            if not chain.agrees(event, record.partition) or record.key != chain.key.encode():
                self._fail(self.linked, record, link, "its page, key, desk or partition has changed")
            self._check(chain, record, link)
            chain.add(link, event)

    def _check(self, chain: Chain, record: LogRecord, link: Link) -> None:
        before = chain.links[-1] if chain.links else None
        for tally, fault in (
            (self.linked, _link_fault(before, link)),
            (self.epochs, _epoch_fault(before, link)),
            (self.care, _care_fault(link)),
        ):
            tally.checked += 1
            if fault:
                self._fail(tally, record, link, fault)

    @staticmethod
    def _fail(tally: Tally, record: LogRecord, link: Link, fault: str) -> None:
        key = (record.key or b"").decode(errors="replace")
        tally.fail(
            (link.seq, record.offset), f"assignments {shown(record.place)} ({key}, {link.what}): {fault}"
        )


def _link_fault(before: Link | None, link: Link) -> str:
    expected = (1, None) if before is None else (before.seq + 1, before.id)
    if (link.seq, link.previous) != expected:
        return f"seq {link.seq} after {link.previous}, expected seq {expected[0]} after {expected[1]}"
    if before is None:
        return ""
    for name in ("cause_offset", "at_ms", "after_position", "session"):
        if getattr(link, name) < getattr(before, name):
            return f"{name} goes back from {getattr(before, name)} to {getattr(link, name)}"
    return ""


def _epoch_fault(before: Link | None, link: Link) -> str:
    epoch, holder = (0, None) if before is None else (before.epoch, before.holder)
    expected = epoch + (link.holder is not None and link.holder != holder)
    if link.epoch != expected:
        return f"epoch {link.epoch}, expected {expected}: {holder} held it, now {link.holder}"
    if link.what == "assigned" and link.former_holder != holder:
        return f"names {link.former_holder} as the former holder, it was {holder}"
    return ""


def _care_fault(link: Link) -> str:
    if (link.holder is None) != (link.care in _NOBODY):
        return f"care {link.care}, holder {link.holder}"
    if (link.holder is not None) != (link.standing == "held"):
        return f"standing {link.standing}, holder {link.holder}"
    return ""
