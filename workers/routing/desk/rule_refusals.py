"""What rules and the policy must be: whom and what they name beside their own agents and pages is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from schemas.commands import Configure
from schemas.definitions import DEFAULT_TIME_ZONE, Hours, Rule
from workers.routing.desk.desk import Desk
from workers.routing.hours import is_time_zone
from workers.routing.outcomes import Refusal


def unknown(who: str, kind: str, named: Iterable[str], known: Iterable[str]) -> Iterator[Refusal]:
    """A refusal for each of `named` that is not `known`."""
    known = frozenset(known)
    for name in named:
        if name not in known:
            sentence = f"{who} names the {kind} {name!r}, which this desk has not: add it, or take it out"
            yield Refusal(f"unknown_{kind.replace(' ', '_')}", sentence)


def _fallbacks(_: Desk, command: Configure) -> Iterator[Refusal]:
    known: Mapping[str, Iterable[str]] = {
        "rule": [rule.id for rule in command.rules],
        "agent": [agent.id for agent in command.agents],
    }
    for rule in command.rules:
        kind, id_ = rule.fallback.kind, rule.fallback.id
        if (id_ is None) != (kind == "wait"):
            sentence = f"the fallback of the rule {rule.id!r} is {kind!r}: {_fallback_wants(kind)}"
            yield Refusal("bad_fallback", sentence)
        elif id_ is not None:
            yield from unknown(_of(rule, "fallback"), kind, (id_,), known[kind])


def _fallback_wants(kind: str) -> str:
    return "take its id out" if kind == "wait" else f"say the id of the {kind}"


def _rings(_: Desk, command: Configure) -> Iterator[Refusal]:
    agents = {agent.id for agent in command.agents}
    departments = {department.id for department in command.departments}
    for rule in command.rules:
        for ring in rule.next_rings:
            yield from unknown(_of(rule, "next ring"), "agent", ring.agents, agents)
            yield from unknown(_of(rule, "next ring"), "department", ring.departments, departments)


def _conditions(_: Desk, command: Configure) -> Iterator[Refusal]:
    lists = {one.id for one in command.policy.keyword_lists}
    for rule in command.rules:
        yield from unknown(_of(rule, "condition"), "keyword list", rule.conditions.lists, lists)
        yield from _time_zone(f"the rule {rule.id!r}", rule.conditions.hours)


def _time_zone(who: str, hours: Hours | None) -> Iterator[Refusal]:
    if hours is not None and not is_time_zone(hours.time_zone):
        sentence = (
            f"{who} names the time zone {hours.time_zone!r}, which there is not: "
            f"expected one such as {DEFAULT_TIME_ZONE!r}"
        )
        yield Refusal("unknown_time_zone", sentence)


def _policy(_: Desk, command: Configure) -> Iterator[Refusal]:
    policy = command.policy
    kinds = {
        "reason": [reason.id for reason in policy.reasons],
        "keyword list": [one.id for one in policy.keyword_lists],
    }
    for kind, ids in kinds.items():
        for id_, times in Counter(ids).items():
            if times > 1:
                yield Refusal("named_twice", f"the {kind} {id_!r} stands there {times} times: keep one")
    agents = [agent.id for agent in command.agents]
    yield from unknown("the policy", "agent", policy.outside_agents.values(), agents)
    yield from _time_zone("the policy", policy.hours)


def _of(rule: Rule, what: str) -> str:
    return f"the {what} of the rule {rule.id!r}"


CHECKS: tuple[Callable[[Desk, Configure], Iterator[Refusal]], ...] = (
    _fallbacks,
    _rings,
    _conditions,
    _policy,
)
