"""Plans and outcomes in words for people, and as plain values for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.outcomes import Done
from workers.routing.desk.preview import Held
from workers.workspace.apply import DeskOutcome, Plan
from workers.workspace.difference import Change, DeskChange, counts
from workers.workspace.release import LeftOut

LINES_MAX = 100
"""Changes shown one by one, per desk; the rest is counted."""
_SIGNS = {"added": "+", "changed": "~", "removed": "-"}


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield what would change, a line each."""
    for desk in plan.desks:
        yield f"workspace {plan.workspace.id}, desk {desk.roster.id}: {_summary(desk)}"
        yield from (_line(change) for change in desk.changes[:LINES_MAX])
        if len(desk.changes) > LINES_MAX:
            yield f"  … and {len(desk.changes) - LINES_MAX} more"
        yield from (_released(held) for held in plan.released.get(desk.roster.id, ())[:LINES_MAX])
    yield from (_left_out(left) for left in plan.left_out[:LINES_MAX])
    for left in plan.left_alone:
        yield f"workspace {plan.workspace.id}, desk {left}: not in the file, left as it is"


def outcome_line(workspace: str, one: DeskOutcome) -> str:
    """Return what became of one desk's command."""
    desk = f"workspace {workspace}, desk {one.sent.command.desk}"
    if one.outcome is None:
        return f"{desk}: no outcome yet"
    if isinstance(one.outcome, Done):
        return f"{desk}: applied"
    return f"{desk}: refused"


def report(plan: Plan, outcomes: tuple[DeskOutcome, ...], *, dry_run: bool) -> dict[str, Any]:
    """Return all of it for `--json`."""
    by_desk = {one.sent.command.desk: one for one in outcomes}
    return {
        "workspace": plan.workspace.id,
        "dry_run": dry_run,
        "desks": [_desk(plan, desk, by_desk.get(desk.roster.id)) for desk in plan.desks],
        "left_alone": plan.left_alone,
        "left_out": [left._asdict() for left in plan.left_out],
    }


def _desk(plan: Plan, desk: DeskChange, outcome: DeskOutcome | None) -> dict[str, Any]:
    return {
        "desk": desk.roster.id,
        "counts": counts(desk.changes),
        "changes": desk.changes,
        "released": [held._asdict() for held in plan.released.get(desk.roster.id, ())],
        "outcome": _outcome(outcome) if outcome else None,
    }


def _outcome(one: DeskOutcome) -> dict[str, Any]:
    place = {"topic": one.sent.topic, "partition": one.sent.partition, "offset": one.sent.offset}
    common = {"idempotency_key": one.sent.command.idempotency_key, "command_at": place}
    if one.outcome is None:
        return {"state": "unknown", **common}
    state = "done" if isinstance(one.outcome, Done) else "refused"
    told = one.outcome.model_dump(mode="json", include={"at", "result", "code", "sentence"})
    return {"state": state, **common, **told}


def _summary(desk: DeskChange) -> str:
    if not desk.changes:
        return "nothing to change"
    words = (
        f"{count} {kind}{'s' if count > 1 else ''} {word}"
        for kind, by_word in counts(desk.changes).items()
        for word, count in by_word.items()
    )
    return ", ".join(words)


def _line(change: Change) -> str:
    why = f": {change.why}" if change.why else ""
    return f"  {_SIGNS[change.word]} {change.kind} {change.id} ({change.name}){why}"


def _released(held: Held) -> str:
    many = f"{held.held} conversation{'s' if held.held > 1 else ''}"
    return f"  ! agent {held.agent} gives up {many}, {held.talking} with an open session: these go to others"


def _left_out(left: LeftOut) -> str:
    if left.has_conversations:
        return f"  ! page {left.page} stays reserved for its conversations: see tongdai pages release"
    return f"  ! page {left.page} has no conversations: it is given up with the next change of its desk"
