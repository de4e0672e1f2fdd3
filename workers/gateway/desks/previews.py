"""What a change of a desk would do, told before anybody asks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from schemas.assignments import Standing
from schemas.commands import Amend, RosterParts, RosterVersion
from workers.gateway.answers import refusal
from workers.gateway.calls import on_desk
from workers.gateway.desks.parts import read_version
from workers.gateway.foresight import PREVIEW, Foresight
from workers.gateway.queries.queries import View
from workers.routing.desk.change_preview import ForeseenChange, Move, foresee_change
from workers.routing.desk.preview import held_by, is_foreseeable

SHOWN_MAX = 100


class Moved(BaseModel):
    """A conversation that would stand otherwise."""

    conversation: UUID
    page: str
    standing: Standing
    holder: str | None
    """Who would have it."""
    rule: str | None
    """By which."""
    was: Standing
    former: str | None
    """Who has it."""


class ChangeForeseen(BaseModel):
    """What the desk would decide at this moment."""

    changes: dict[str, Any]
    """How many of each kind would be added, changed and removed, as the outcome would tell."""
    given: dict[str, int]
    """To whom how many of those who wait, or lose their agent, would go at once."""
    offered: int
    """To others than now."""
    waiting: int
    """For another rule than now."""
    with_next_message: int
    """Of those who lose their agent, those whom their next messages would bring to somebody."""
    moved: tuple[Moved, ...]
    """The first hundred of them, of pages that are mine: who has waited longest first."""


class ChangePreview(BaseModel):
    """What a change would do to a desk as it is now."""

    version: RosterVersion
    foreseen: ChangeForeseen | None
    """None: too many wait, or lose their agents, to think it through."""


async def change_preview(foresight: Foresight, view: View, desk: str, parts: RosterParts) -> ChangePreview:
    """What `parts` would do; whether it may be asked has been decided.

    Raises ApiError with what the desk would refuse it with.
    """
    place, version = (view.connection, view.identity.workspace, desk), await read_version(view, desk)
    held = await held_by(*place, parts.removed.agents)
    if not await is_foreseeable(*place, held):
        return ChangePreview(version=version, foreseen=None)
    command = on_desk(Amend, view.identity, desk, PREVIEW, {**dict(parts), "version": version})
    foreseen = await foresight.of(view.connection, command, foresee_change)
    refused = refusal(foreseen.outcome)
    if refused is not None:
        raise refused
    return ChangePreview(version=version, foreseen=_told(view, foreseen))


def _told(view: View, foreseen: ForeseenChange) -> ChangeForeseen:
    now = [move.now for move in foreseen.moves]
    standing = Counter(one.standing for one in now)
    mine = (move for move in foreseen.moves if move.page in view.scope.pages)
    return ChangeForeseen(
        changes=getattr(foreseen.outcome, "result", {}),
        given=Counter(one.holder for one in now if one.holder is not None),
        offered=standing["offered"],
        waiting=standing["queued"],
        with_next_message=standing["idle"],
        moved=tuple(_moved(mine))[:SHOWN_MAX],
    )


def _moved(moves: Iterable[Move]) -> Iterable[Moved]:
    for move in moves:
        was, now = move.was, move.now
        yield Moved(
            conversation=move.conversation,
            page=move.page,
            standing=now.standing,
            holder=now.holder,
            rule=now.rule,
            was=was.standing,
            former=was.holder,
        )
