"""Reads the options of a rule: its limits, its rings, and what happens when nobody is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.definitions import AGENTS_MAX, DEPARTMENTS_MAX, RINGS_MAX, TAGS_MAX, Fallback, Tag, Team, Window
from workers.workspace.nodes import Node
from workers.workspace.people_reader import CAPACITY_MAX
from workers.workspace.reader import Reader
from workers.workspace.scope import Scope
from workers.workspace.values import SECONDS_MAX, read_seconds, read_switch, read_words

DAY_S = 24 * 60 * 60
SECONDS = ("gap_s", "last_agent_s", "urgent_after_s", "offer_timeout_s")
SWITCHES = ("online_only", "reply_claims")
AFTER_REFUSAL = ("pool", "next")
FALLBACKS = ("wait", "rule", "agent")
OPTIONS = (
    *SECONDS,
    *SWITCHES,
    "window",
    "vip_tags",
    "next_rings",
    "after_refusal",
    "offline_grace_s",
    "fallback",
)


class Backing(NamedTuple):
    """A rule that another falls back on; known only when all rules have been read."""

    node: Node
    id: str
    who: str


def read_options(
    reader: Reader, fields: dict[str, Node], scope: Scope, who: str, backings: list[Backing]
) -> dict[str, Any]:
    """Return the options that were said, by their names in Rule."""
    said: dict[str, Any] = {
        name: read_seconds(reader, fields.get(name), f"{name} of {who}") for name in SECONDS
    }
    said |= {name: read_switch(reader, fields.get(name), f"{name} of {who}") for name in SWITCHES}
    said["offline_grace_s"] = read_seconds(
        reader, fields.get("offline_grace_s"), f"offline_grace_s of {who}", 0, DAY_S
    )
    said["window"] = _window(reader, fields.get("window"), who)
    said["vip_tags"] = read_words(reader, fields.get("vip_tags"), f"vip_tags of {who}", Tag, limit=TAGS_MAX)
    said["next_rings"] = tuple(_rings(reader, fields.get("next_rings"), scope, who))
    said["after_refusal"] = reader.choice(
        fields.get("after_refusal"), f"after_refusal of {who}", AFTER_REFUSAL
    )
    said["fallback"] = _fallback(reader, fields.get("fallback"), scope, who, backings)
    return {name: value for name, value in said.items() if value is not None and name in fields}


def _window(reader: Reader, node: Node | None, who: str) -> Window | None:
    if node is None:
        return None
    of = f"the window of {who}"
    fields = reader.fields(node, of, ("conversations", "seconds"))
    conversations = reader.integer(fields.get("conversations"), f"conversations of {of}", 1, CAPACITY_MAX)
    seconds = reader.integer(fields.get("seconds"), f"seconds of {of}", 1, SECONDS_MAX)
    return Window(conversations=conversations, seconds=seconds) if conversations and seconds else None


def _rings(reader: Reader, node: Node | None, scope: Scope, who: str) -> Iterator[Team]:
    for item in reader.items(node, f"next_rings of {who}", limit=RINGS_MAX):
        of = f"a next ring of {who}"
        fields = reader.fields(item, of, (), ("agents", "departments"))
        agents = scope.agents.of_list(reader, fields.get("agents"), of, limit=AGENTS_MAX)
        departments = scope.departments.of_list(reader, fields.get("departments"), of, limit=DEPARTMENTS_MAX)
        yield Team(agents=agents, departments=departments)


def _fallback(
    reader: Reader, node: Node | None, scope: Scope, who: str, backings: list[Backing]
) -> Fallback | None:
    if node is None:
        return None
    of = f"the fallback of {who}"
    fields = reader.fields(node, of, ("kind",), ("id",))
    kind = reader.choice(fields.get("kind"), f"the kind of {of}", FALLBACKS)
    id_ = reader.slug(fields.get("id"), f"the id of {of}")
    if kind == "wait" and "id" in fields:
        reader.note(fields["id"], f"{of} waits, and has an id", "take it out, or say kind: rule or agent")
        return None
    if kind in ("rule", "agent") and "id" not in fields:
        reader.note(node, f"{of} has no id", f"add id: … of the {kind}")
    if id_ is None or kind is None:
        return None
    if kind == "rule":
        backings.append(Backing(fields["id"], id_, of))
    elif not reader.known(fields["id"], id_, "agent", scope.agents, of):
        return None
    return Fallback.model_validate({"kind": kind, "id": id_})


def check_backings(reader: Reader, backings: list[Backing], scope: Scope) -> None:
    """Note each rule that is fallen back on and is not there."""
    for backing in backings:
        reader.known(backing.node, backing.id, "rule", scope.rules, backing.who)
