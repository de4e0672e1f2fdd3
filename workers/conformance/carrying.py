"""The rules about the way out: each answer is told of, what is told can be read, and goes only forward."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from workers.conformance.seen import Seen
from workers.conformance.verdict import Fault, Rule, Verdict, judge
from workers.runtime.refusal import place

ATTEMPT = "have an agent answer a customer while the routing worker runs"
ANSWERS = Rule(
    "answers",
    "each answer is told of: it is sent, or has failed",
    "read outbound in a group of your own, and commit an answer after you have told of it",
    ATTEMPT,
)
RECEIPTS = Rule(
    "receipts",
    "what is told is what its schema says, under the customer's key, of an answer that was asked for",
    "take key and message as outbound has them; see docs/contract/schemas/receipts.carried.v1.json",
    ATTEMPT,
)
STEPS = Rule(
    "steps",
    "an answer is sent, delivered, read, in this order, under one id; or it has failed, and nothing else",
    "tell what the channel tells, when it does; what has failed is not tried again",
    "tell of an answer, and twice, as after a crash: a repetition does no harm",
)
WAY = ("sent", "delivered", "read")


class Asked(NamedTuple):
    """An answer that a connector is to carry."""

    place: str
    key: str
    message: str


class Carrying(NamedTuple):
    """What was asked of a connector, and what it has told; those of each partition in their order."""

    asked: Sequence[Asked]
    told: Sequence[Seen]


def check_carrying(carrying: Carrying) -> list[Verdict]:
    """All three rules. What is told of answers from before somebody looked is not known to be wrong."""
    keys = {each.message: each.key for each in carrying.asked}
    by_message: defaultdict[str, list[Seen]] = defaultdict(list)
    for each in carrying.told:
        if each.is_right:
            by_message[each.answer].append(each)
    silent = [
        Fault(each.place, f"{each.key}: nothing was told of the answer {each.message}")
        for each in carrying.asked
        if each.message not in by_message
    ]
    return [
        judge(ANSWERS, len(carrying.asked), silent),
        judge(RECEIPTS, len(carrying.told), _wrong(carrying.told, keys)),
        judge(STEPS, len(by_message), _backward(by_message)),
    ]


def _wrong(told: Sequence[Seen], keys: Mapping[str, str]) -> Iterator[Fault]:
    for each in told:
        key = (each.key or b"").decode(errors="replace")
        asked = keys.get(each.answer)
        if each.kind is None:
            yield Fault(each.place, f"ce_type is {each.header('ce_type')!r}")
        elif each.errors:
            error = each.errors[0]
            yield Fault(each.place, f"{place(error['loc'])}: {error['msg']}")
        elif key != each.true_key:
            yield Fault(each.place, f"the key is {key!r}, channel/account/user say {each.true_key!r}")
        elif asked not in (None, key):
            yield Fault(each.place, f"the answer is for {asked}, and told of as {key}")


def _backward(by_message: Mapping[str, Sequence[Seen]]) -> Iterator[Fault]:
    for message, told in by_message.items():
        states = list(dict.fromkeys(str(each.fields["state"]) for each in told))
        ids = {id_ for each in told if (id_ := each.fields.get("channel_message_id")) is not None}
        if "failed" in states and len(states) > 1:
            yield Fault(told[0].place, f"the answer {message} is told to be {' and '.join(states)}")
        elif "failed" not in states and states != sorted(states, key=WAY.index):
            yield Fault(told[0].place, f"the answer {message} is told to be {', then '.join(states)}")
        elif len(ids) > 1:
            yield Fault(told[0].place, f"the answer {message} has the ids {', '.join(sorted(ids))}")
