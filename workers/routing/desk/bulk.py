"""One thing about many conversations: each is decided by itself, as if it had been asked alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from schemas import asks
from schemas.asks import Bulk, ConversationAsk, ManyWhat, Subject
from workers.routing.desk.appointing import appoint, release, take_off, take_over
from workers.routing.desk.asking import answer_to
from workers.routing.desk.blocking import block, unblock
from workers.routing.desk.care import set_care
from workers.routing.desk.decision import Draft
from workers.routing.desk.following import follow, mute, unfollow, unmute
from workers.routing.desk.outcomes import done, refuse
from workers.routing.outcomes import Refusal


class One(NamedTuple):
    """The single form of a thing that may be asked about many."""

    command: type[ConversationAsk]
    act: Callable[..., Any]
    needs: str | None = None
    """Which field of the bulk it cannot do without."""


SINGLE: dict[ManyWhat, One] = {
    "appoint": One(asks.Appoint, appoint, "agent"),
    "release": One(asks.Release, release),
    "take_over": One(asks.TakeOver, take_over),
    "take_off": One(asks.TakeOff, take_off),
    "set_care": One(asks.SetCare, set_care, "care"),
    "follow": One(asks.Follow, follow),
    "unfollow": One(asks.Unfollow, unfollow),
    "mute": One(asks.Mute, mute),
    "unmute": One(asks.Unmute, unmute),
    "block": One(asks.Block, block),
    "unblock": One(asks.Unblock, unblock),
}


def bulk(draft: Draft, command: Bulk) -> None:
    """Carry it out for each; the outcome counts those done, and names those refused or warned of, and why."""
    single = SINGLE[command.what]
    if single.needs is not None and getattr(command, single.needs) is None:
        sentence = f"{command.what} in bulk needs {single.needs}: say it"
        refuse(draft, command, Refusal("incomplete", sentence, allowed=(single.needs,)))
        return
    answers = [(subject, _answer(draft, command, subject, single)) for subject in command.subjects]
    refused = [_told(subject, answer) for subject, answer in answers if isinstance(answer, Refusal)]
    warned = [
        {**_name(subject), "warning": answer["warning"]}
        for subject, answer in answers
        if not isinstance(answer, Refusal) and "warning" in answer
    ]
    told = {"warned": warned} if warned else {}
    done(draft, command, {"done": len(answers) - len(refused), "refused": refused} | told)


def _answer(draft: Draft, command: Bulk, subject: Subject, single: One) -> Any:  # noqa: ANN401 - a result
    """What the desk says to one of them."""
    fields = {name: value for name, value in command if name in single.command.model_fields}
    alone = single.command(**{**fields, "conversation": subject.conversation, "key": subject.key})
    return answer_to(draft, alone, single.act)


def _told(subject: Subject, refusal: Refusal) -> dict[str, Any]:
    return {
        **_name(subject),
        "code": refusal.code,
        "sentence": refusal.sentence,
        "allowed": list(refusal.allowed),
        "details": dict(refusal.details),
    }


def _name(subject: Subject) -> dict[str, str]:
    return {"conversation": str(subject.conversation), "key": subject.key}
