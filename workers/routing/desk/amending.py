"""The roster that a desk would have with some parts of it changed: `amend` is `configure` that says less."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from schemas.building import build
from schemas.commands import Amend, Configure
from schemas.definitions import Agent, Rule
from workers.routing.desk.roster import D, Entry, Roster


def amended(roster: Roster, command: Amend) -> Configure:
    """The whole that `command` comes to; what makes no sense in it is told by its refusals."""
    removed = command.removed
    return build(
        Configure,
        {
            **{name: getattr(command, name) for name in ("workspace", "desk", "actor", "idempotency_key")},
            **{name: getattr(command, name) for name in ("by", "authority", "version")},
            "agents": _put(
                roster.agents, removed.agents, [_as_present(roster, one) for one in command.agents]
            ),
            "departments": _put(roster.departments, removed.departments, command.departments),
            "pages": _put(roster.pages, (), command.pages),
            "rules": _rules(roster, command),
            "policy": roster.policy if command.policy is None else command.policy,
        },
    )


def _as_present(roster: Roster, agent: Agent) -> Agent:
    """The agent, on leave or not as he is."""
    entry = roster.agents.get(agent.id)
    if entry is None or not entry.active:
        return agent
    return agent.model_copy(update={"on_leave": entry.definition.on_leave})


def _put(known: Mapping[str, Entry[D]], removed: Collection[str], said: Iterable[D]) -> tuple[D, ...]:
    """What is there and stays, each at its place, with what is said in its stead; what is new comes last."""
    stay = sorted(
        (entry for id_, entry in known.items() if entry.active and id_ not in removed),
        key=lambda entry: (entry.position, entry.definition.id),
    )
    return tuple(
        ({one.definition.id: one.definition for one in stay} | {one.id: one for one in said}).values()
    )


def _rules(roster: Roster, command: Amend) -> tuple[Rule, ...]:
    rules = {rule.id: rule for rule in _put(roster.rules, command.removed.rules, command.rules)}
    if command.before in rules:
        said = [rule.id for rule in command.rules if rule.id != command.before]
        others = [id_ for id_ in rules if id_ not in said]
        at = others.index(command.before)
        return tuple(rules[id_] for id_ in (*others[:at], *said, *others[at:]))
    is_whole = len(command.order) == len(rules) and set(command.order) == rules.keys()
    return tuple(rules[id_] for id_ in command.order) if is_whole else tuple(rules.values())
