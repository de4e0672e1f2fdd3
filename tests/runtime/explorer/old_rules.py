"""Rules that an exploration has found wrong, to be put in the place of today's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.runtime.explorer import postgres, takeover
from tests.runtime.explorer.world import Request, World
from workers.runtime import protocol
from workers.runtime.protocol import BackOff, Group, Stop, TakeoverStep

Patch = pytest.MonkeyPatch


def stop_when_behind(monkeypatch: Patch) -> None:
    """A group that is behind the row is never read again: the lane stops at once."""
    instead_of_waiting(monkeypatch, lambda _: Stop("it does not fit"))


def instead_of_waiting(monkeypatch: Patch, decide: Callable[[TakeoverStep], TakeoverStep]) -> None:
    """Another decision in the place of that to read the group again."""
    real = protocol.after_group

    def replaced(*, row: protocol.Row, group: Group, waited_s: float) -> TakeoverStep:
        step = real(row=row, group=group, waited_s=waited_s)
        return decide(step) if isinstance(step, BackOff) else step

    monkeypatch.setattr(protocol, "after_group", replaced)


def stop_what_another_has(monkeypatch: Patch) -> None:
    """A lane is stopped without a look at whose it is by now."""
    monkeypatch.setattr(takeover, "may_stop", lambda *_: True)


def claim_whoever_has_it(monkeypatch: Patch) -> None:
    """No compare-and-swap on the owner that was fenced."""
    real = postgres.execute

    def overwriting(world: World, request: Request) -> tuple[World, protocol.Outcome]:
        return real(world, request._replace(expected=world.rows[request.lane].owner))

    monkeypatch.setattr(postgres, "execute", overwriting)
