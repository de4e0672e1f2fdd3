"""What became of trying one rule on a connector's records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

State = Literal["passed", "failed", "not_tried"]
FAULTS_MAX = 20
"""Told of one rule; the others are counted."""


class Rule(NamedTuple):
    """What a connector has to do."""

    name: str
    says: str
    mend: str
    """What to do when it does not."""
    attempt: str
    """What to do so that it can be tried."""


class Fault(NamedTuple):
    """A record that breaks a rule."""

    place: str
    what: str


class Verdict(NamedTuple):
    """A rule tried: on so many records, of which so many break it."""

    rule: str
    says: str
    state: State
    tried: int
    broken: int
    faults: tuple[Fault, ...]
    advice: str
    """How to mend it, or how to try it; empty when it holds."""


def judge(rule: Rule, tried: int, faults: Iterable[Fault], mend: str = "", attempt: str = "") -> Verdict:
    """The verdict on `rule`; `mend` and `attempt` are said before what the rule itself says of them."""
    found = tuple(faults)
    state: State = "failed" if found else "passed" if tried else "not_tried"
    advice = {
        "failed": f"{mend}; {rule.mend}" if mend else rule.mend,
        "passed": "",
        "not_tried": attempt or rule.attempt,
    }[state]
    return Verdict(rule.name, rule.says, state, tried, len(found), found[:FAULTS_MAX], advice)
