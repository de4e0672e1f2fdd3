"""Outcomes: every action has exactly one, also when it comes twice, or is decided on later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from schemas.actions import Action
from schemas.catalogue import RECORDS
from schemas.envelope import Kind, moment
from schemas.outcomes import Done, Outcome, Refused, request_sha256
from workers.routing.outcomes import KEPT, KEY_REUSED, Refusal, Result
from workers.runtime.batch import Batch, Record

KEPT_MS = KEPT // timedelta(milliseconds=1)

DONE, REFUSED = Kind("outcomes", "done"), Kind("outcomes", "refused")
WHAT_OF = {model: kind.what for kind, model in RECORDS.items() if issubclass(model, Action)}

Asker = tuple[str, str, str]
"""Workspace, actor and idempotency key."""


class Remembered(NamedTuple):
    """What is known of a key."""

    request_sha256: str
    at_ms: int
    """When it was decided, or asked while it is not."""
    outcome: Outcome | None
    """None: the desk has not decided yet."""


class Outcomes:
    """Those of one batch: `known` before it, as far as its actions ask for them, and what it adds."""

    def __init__(self) -> None:
        self._known: dict[Asker, Remembered] = {}
        self.new: dict[Asker, Remembered] = {}
        """To be written."""

    def know(self, found: Iterable[tuple[Asker, Remembered]]) -> None:
        """Take in what earlier batches have left."""
        self._known.update(found)

    def earlier(self, action: Action, at_ms: int) -> Remembered | None:
        """What became of this key within a day; also what has no outcome yet."""
        asker = asker_of(action)
        found = self.new.get(asker) or self._known.get(asker)
        if found is None or (found.outcome is not None and at_ms - found.at_ms >= KEPT_MS):
            return None
        return found

    def wait(self, action: Action, at_ms: int) -> None:
        """Remember that `action` has been taken and that its outcome comes later."""
        self.new[asker_of(action)] = Remembered(request_sha256(action), at_ms, None)

    def answer(
        self, batch: Batch, cause: Record, at_ms: int, desk: str, action: Action, answer: Refusal | Result
    ) -> None:
        """Tell the sender of `action` what became of it. A reused key's first outcome stays."""
        outcome = _outcome(at_ms, desk, action, answer)
        if not (isinstance(answer, Refusal) and answer.code == KEY_REUSED):
            self.new[asker_of(action)] = Remembered(outcome.request_sha256, at_ms, outcome)
        kind = REFUSED if isinstance(answer, Refusal) else DONE
        value = outcome.model_dump_json().encode()
        batch.emit(cause, kind, key=action.actor.encode(), value=value, at_ms=at_ms)


def asker_of(action: Action) -> Asker:
    """Whose key it is: also when it comes on another lane."""
    return action.workspace, action.actor, action.idempotency_key


def _outcome(at_ms: int, desk: str, action: Action, answer: Refusal | Result) -> Outcome:
    common: dict[str, Any] = {
        "workspace": action.workspace,
        "desk": desk,
        "actor": action.actor,
        "idempotency_key": action.idempotency_key,
        "command": WHAT_OF[type(action)],
        "request_sha256": request_sha256(action),
        "at": moment(at_ms),
        "conversation": action.conversation,
    }
    if isinstance(answer, Refusal):
        return Refused(**common | answer._asdict() | {"details": dict(answer.details)})
    return Done(**common, result=answer)
