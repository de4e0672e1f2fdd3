"""What the tests of transfers, care and sessions share: who is there, what holds for the desk, timers."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from schemas.commands import (
    ConversationCommand,
    OutsideAnswer,
    SessionSilent,
    TimerFired,
    TimerName,
    Touched,
)
from schemas.definitions import Policy, Reason, Rule
from schemas.ids import conversation_id
from schemas.roster import PolicyChanged, PresenceChanged
from tests.desk.log import DESK, PAGE, WORKSPACE, a_rule, key_of
from tests.desk.scene import Scene
from workers.routing.desk.timers import timers_of, timers_of_desk

C = TypeVar("C", bound=ConversationCommand)
REASONS = (
    Reason(id="gia-cao", name="Giá cao"),
    Reason(id="cho-hang", name="Chờ hàng", care="pending_close"),
    Reason(id="da-giao", name="Đã giao", care="done"),
)


def give_policy(scene: Scene, **fields: object) -> None:
    """Let the desk have the usual reasons, and this policy beside them."""
    policy = Policy.model_validate({"reasons": REASONS, **fields})
    version = scene.desk.roster.policy_version + 1
    scene.take(PolicyChanged(**_roster(scene), version=version, policy=policy))


def rule_with(*agents: str, **options: object) -> Rule:
    """The usual rule for these agents, with these options."""
    return Rule.model_validate(a_rule(*agents).model_dump() | options)


def come(scene: Scene, *agents: str, presence: str = "online") -> None:
    """Let these agents be there."""
    for agent in agents:
        now = scene.desk.whereabouts.get(agent)
        scene.take(
            PresenceChanged(
                **_roster(scene),
                version=now.version + 1 if now else 1,
                agent=agent,
                presence=presence,
                former=scene.desk.presence_of(agent),
                gateways={} if presence == "offline" else {"g1": presence},
            )
        )


def about(model: type[C], user: str, session: int = 1, **fields: object) -> C:
    """What intake tells of a customer's session."""
    key = key_of(user, PAGE)
    named = {"conversation": conversation_id(key), "key": key, "session": session, "position": 5}
    return model.model_validate({"workspace": WORKSPACE, "desk": DESK, **named, **fields})


def touched(user: str, by: str = "customer", session: int = 1) -> Touched:
    """Somebody wrote."""
    return about(Touched, user, session, by=by)


def silent(user: str, session: int = 1) -> SessionSilent:
    """Nobody has written for long."""
    return about(SessionSilent, user, session)


def answered_outside(user: str, sender: str | None = None) -> OutsideAnswer:
    """A human has answered in the page's own inbox."""
    return about(OutsideAnswer, user, sender_id=sender)


def run_out(scene: Scene, name: TimerName) -> list[Any]:
    """Let the one timer of this name come when it is due; the events."""
    timers = [timer for one in scene.desk.conversations.values() for timer in timers_of(one)]
    timers += timers_of_desk(scene.desk, scene.log.now)
    (timer,) = (timer for timer in timers if timer.name == name)
    scene.log.wait(seconds=max(0, (timer.due_at - scene.log.now).total_seconds()))
    fired = {"timer": timer.name, "subject": timer.subject, "due_at": timer.due_at}
    return scene.do(TimerFired.model_validate({"workspace": WORKSPACE, "desk": DESK, **fired}))


def names(events: list[BaseModel]) -> list[str]:
    """What kinds of events they are, without the outcome."""
    kinds = [type(event).__name__ for event in events]
    return [kind for kind in kinds if kind not in ("Done", "Refused")]


def _roster(scene: Scene) -> dict[str, Any]:
    return {"workspace": WORKSPACE, "desk": DESK, "at": scene.log.now}
