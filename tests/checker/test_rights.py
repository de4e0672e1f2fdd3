"""Who may bring an event about: keys are an actor's own, two actors may have the same one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from checker.invariants.rights import Rights

OFFERED = SimpleNamespace(
    what="transferring", method=None, said={"command": "key-10"}, seq=6, cause_offset=442, holder="an"
)
CHAIN: Any = SimpleNamespace(key="messenger:1:u1")
STATE: Any = SimpleNamespace(
    conversation=lambda _: SimpleNamespace(key="messenger:1:u1", holder="an"), admins={}, conversations={}
)


def asked(what: str) -> Any:  # noqa: ANN401 - what is read of an Ask
    """By somebody who is not the holder, under the same key as that of the transfer."""
    return SimpleNamespace(what=what, asker=("w", "main", "agent:w/binh", "key-10"), by="binh", value={})


@pytest.mark.parametrize(("what", "violations"), [("transfer_reject", 0), ("transfer", 1)])
def test_who_rejects_under_the_key_of_who_offered_has_not_offered_it(what: str, violations: int) -> None:
    rights = Rights({})
    rights.before(STATE, CHAIN, OFFERED, asked(what))  # type: ignore[arg-type]
    assert rights.granted.violations == violations
