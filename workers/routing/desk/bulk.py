"""One thing about many conversations: each is decided by itself, as if it had been asked alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from schemas import asks
from schemas.asks import Bulk, ConversationAsk, Subject
from workers.routing.desk.appointing import appoint, release, take_off, take_over
from workers.routing.desk.asking import answer_to
from workers.routing.desk.care import set_care
from workers.routing.desk.decision import Draft
from workers.routing.desk.following import follow, unfollow
from workers.routing.desk.outcomes import done, refuse
from workers.routing.outcomes import Refusal

What = Literal["appoint", "release", "take_over", "take_off", "set_care", "follow", "unfollow"]


class One(NamedTuple):
    """The single form of a thing that may be asked about many."""

    command: type[ConversationAsk]
    act: Callable[..., Any]
    needs: str | None = None
    """Which field of the bulk it cannot do without."""


SINGLE: dict[What, One] = {
    "appoint": One(asks.Appoint, appoint, "agent"),
    "release": One(asks.Release, release),
    "take_over": One(asks.TakeOver, take_over),
    "take_off": One(asks.TakeOff, take_off),
    "set_care": One(asks.SetCare, set_care, "care"),
    "follow": One(asks.Follow, follow),
    "unfollow": One(asks.Unfollow, unfollow),
}


def bulk(draft: Draft, command: Bulk) -> None:
    """Carry it out for each; the outcome counts those done, and names those refused with the reason."""
    single = SINGLE[command.what]
    if single.needs is not None and getattr(command, single.needs) is None:
        sentence = f"{command.what} in bulk needs {single.needs}: say it"
        refuse(draft, command, Refusal("incomplete", sentence, allowed=(single.needs,)))
        return
    refused = [
        _told(subject, answer)
        for subject in command.subjects
        if isinstance(answer := _answer(draft, command, subject, single), Refusal)
    ]
    done(draft, command, {"done": len(command.subjects) - len(refused), "refused": refused})


def _answer(draft: Draft, command: Bulk, subject: Subject, single: One) -> Any:  # noqa: ANN401 - a result
    """What the desk says to one of them."""
    fields = {name: value for name, value in command if name in single.command.model_fields}
    alone = single.command(**{**fields, "conversation": subject.conversation, "key": subject.key})
    return answer_to(draft, alone, single.act)


def _told(subject: Subject, refusal: Refusal) -> dict[str, Any]:
    return {
        "conversation": str(subject.conversation),
        "key": subject.key,
        "code": refusal.code,
        "sentence": refusal.sentence,
        "allowed": list(refusal.allowed),
        "details": dict(refusal.details),
    }
