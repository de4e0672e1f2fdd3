"""Refusals of which there are too many for a row each: counted, and told as one row a minute."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from workers.channels.rate_limit import RateLimit, bucket_of

ROWS_BURST = 50
"""So many at once have a row each, of one actor or address that are refused the same for the same reason.
More than the wrong passwords that an address may try before it has to wait."""
ROWS_PER_S = 1 / 60
STRANGERS_BURST = 500
STRANGERS_PER_S = 2.0
"""The same of all addresses together: whoever has many of them fills nothing either."""
COUNTED_MAX = 10_000
"""Of so many actors' kinds the repeats are counted at a time."""
APART_MAX = 500
"""Of so many addresses' kinds; those of all others together."""
TOLD_EVERY_S = 60.0


class Refused(NamedTuple):
    """One refused attempt, or `times` of them of which this is the last."""

    workspace: str
    at: datetime
    actor: str
    address: str
    call: str
    subject: str
    code: str
    proven: bool
    """Whether who was refused has proved to be `actor`, of this workspace; otherwise he only said so."""
    times: int = 1


class Repeats:
    """Tells which refusals have a row of their own, and counts the others.

    Who was refused is the actor when that is proven, and otherwise the address, whatever he calls himself and
    whichever workspace he names: his repeats are written as nobody's.
    """

    def __init__(self) -> None:
        self._actors = RateLimit(ROWS_PER_S, ROWS_BURST, bucket=str)
        self._strangers = RateLimit(ROWS_PER_S, ROWS_BURST, bucket=str)
        """Apart: however many addresses there are, they push no actor out."""
        self._all_strangers = RateLimit(STRANGERS_PER_S, STRANGERS_BURST, bucket=str)
        self._counted: dict[str, Refused] = {}
        self._strange: dict[str, Refused] = {}
        self._told_s = 0.0

    def has_own_row(self, one: Refused, now_s: float) -> bool:
        """Whether it is no mere repeat."""
        if one.proven:
            return not self._actors.take(_kind_of(one), now_s)
        own_s = self._strangers.take(_kind_of(one), now_s)
        return not (own_s or self._all_strangers.take(f"{one.call} {one.code}", now_s))

    def count(self, one: Refused) -> bool:
        """Count it as a repeat; false: so many kinds are counted already that it is lost."""
        if one.proven:
            return _add(self._counted, COUNTED_MAX, one)
        nobody = one._replace(workspace="", actor="")
        return _add(self._strange, APART_MAX, nobody) or _add(
            self._counted, COUNTED_MAX, nobody._replace(address="")
        )

    def due(self, now_s: float) -> list[Refused]:
        """What was counted, once a minute."""
        return self.all(now_s) if now_s - self._told_s >= TOLD_EVERY_S else []

    def all(self, now_s: float) -> list[Refused]:
        """What was counted, each kind as one row; it is counted anew from here on."""
        told = [*self._strange.values(), *self._counted.values()]
        self._strange, self._counted, self._told_s = {}, {}, now_s
        return told


def _add(counted: dict[str, Refused], kinds_max: int, one: Refused) -> bool:
    """Add it to those of its kind; false: there is none of it yet, and no room for more kinds."""
    kind = _kind_of(one)
    before = counted.get(kind)
    if before is None and len(counted) >= kinds_max:
        return False
    times = one.times + (0 if before is None else before.times)
    counted[kind] = one._replace(subject="", times=times)
    return True


def _kind_of(one: Refused) -> str:
    who = f"{one.workspace} {one.actor}" if one.proven else bucket_of(one.address)
    return f"{one.proven} {who} {one.call} {one.code}"
