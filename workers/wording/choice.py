"""Which sentence tells a log line: the key in a language's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workers.wording.names import Names

Params = Mapping[str, Any]
_BY_RULE = {"round_robin", "least_busy", "last_agent", "fallback"}
"""Told in the name of the rule's owner."""


def sentence_key(code: str, params: Params, names: Names) -> str:
    """The key of the sentence for a line of this code; a later version's line may have none in the table."""
    choose = _CHOICES.get(code)
    return choose(params, names) if choose else code


def _assigned(params: Params, names: Names) -> str:
    method = params.get("method")
    if method in _BY_RULE:
        return _by_rule(method, params, names)
    if method == "appoint" and params.get("by") == params.get("agent"):
        return "assigned.appoint.self"
    if method == "take_over" and "former" in params:
        return "assigned.take_over.from"
    if method == "transfer" and "former" not in params:
        return "assigned"
    return f"assigned.{method}"


def _by_rule(method: str, params: Params, names: Names) -> str:
    """Nobody gives a conversation to himself, and an owner may be unknown: then the rule has given it."""
    rule = params.get("rule")
    if rule is None:
        return "assigned"
    owner = owner_of(params, names)
    return "assigned.rule" if owner in {None, params.get("agent")} else f"assigned.{method}"


def owner_of(params: Params, names: Names) -> str | None:
    """Whose rule it was when the line was written; of one that does not say so, whose it is."""
    owner: str | None = params.get("owner") or names.owners.get(params.get("rule", ""))
    return owner


def _offered(params: Params, _: Names) -> str:
    if params.get("unrouted"):
        return "offered.unrouted"
    return f"offered.{params.get('audience', '').partition(':')[0]}"


def _unassigned(params: Params, _: Names) -> str:
    how = params.get("how")
    himself = how == "taken_off" and params.get("by") == params.get("agent")
    return "unassigned.taken_off.self" if himself else f"unassigned.{how}"


def _transferring(params: Params, _: Names) -> str:
    if params.get("how") == "rejected":
        return "transferring.rejected"
    return f"transferring.{'agent' if 'to_agent' in params else 'department'}"


def _transfer_ended(params: Params, _: Names) -> str:
    how = params.get("how", "")
    nobody = {"target_offline": "nobody_online", "target_left": "nobody_left"}
    return f"transfer_ended.{how if 'to_agent' in params else nobody.get(how, how)}"


def _care_changed(params: Params, _: Names) -> str:
    if params.get("former_care") == "done":
        return f"care_changed.{'begun' if 'by' in params else 'reopened'}"
    return f"care_changed{'' if 'by' in params else '.by_itself'}"


def _blocked(params: Params, _: Names) -> str:
    return "blocked.days" if "days" in params else "blocked"


def _unblocked(params: Params, _: Names) -> str:
    return "unblocked" if "by" in params else "unblocked.over"


_CHOICES: dict[str, Callable[[Params, Names], str]] = {
    "assigned": _assigned,
    "offered": _offered,
    "unassigned": _unassigned,
    "transferring": _transferring,
    "transfer_ended": _transfer_ended,
    "care_changed": _care_changed,
    "blocked": _blocked,
    "unblocked": _unblocked,
}
"""Of the codes that have several sentences."""
