"""Reads what holds for a whole desk: reasons, keyword lists, time-outs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from schemas.definitions import (
    AGENTS_MAX,
    WORDS_MAX,
    KeywordList,
    Policy,
    Reason,
    Word,
)
from workers.workspace.condition_reader import read_hours
from workers.workspace.nodes import Fields, Node
from workers.workspace.reader import Reader
from workers.workspace.scope import Names, Scope
from workers.workspace.ticket_reader import read_order_checks, read_ticket_fields
from workers.workspace.values import read_choices, read_seconds, read_switch, read_words

LISTS_MAX = 100
OUTSIDE_CHARS_MAX = 128
CARES: tuple[str, ...] = get_args(Reason.model_fields["care"].annotation)
DONE_FROM: tuple[str, ...] = ("accepted", "pending_close", "closed_won")
_SECONDS = ("silent_after_s", "transfer_timeout_s", "outside_quiet_s")
_OTHERS = (
    *("reasons", "keyword_lists", "hours", "outside_agents", "done_from", "former_holders_follow"),
    *("ticket_fields", "order_checks"),
)


def read_policy(reader: Reader, node: Node | None, scope: Scope) -> Policy:
    """Return the policy; what it does not say is as it is by default."""
    if node is None:
        return Policy()
    fields = reader.fields(node, "the policy", (), (*_OTHERS, *_SECONDS))
    said: dict[str, Any] = {
        name: read_seconds(reader, fields.get(name), f"{name} of the policy") for name in _SECONDS
    }
    said["former_holders_follow"] = read_switch(
        reader, fields.get("former_holders_follow"), "former_holders_follow of the policy"
    )
    said["order_checks"] = read_order_checks(reader, fields.get("order_checks"))
    if "done_from" in fields:
        said["done_from"] = read_choices(reader, fields["done_from"], "done_from of the policy", DONE_FROM)
    return Policy(
        reasons=tuple(_reasons(reader, fields.get("reasons"))),
        keyword_lists=tuple(_lists(reader, fields.get("keyword_lists"), scope)),
        hours=read_hours(reader, fields.get("hours"), "the policy"),
        ticket_fields=tuple(read_ticket_fields(reader, fields.get("ticket_fields"))),
        outside_agents=dict(_outside(reader, fields.get("outside_agents"), scope)),
        **{name: value for name, value in said.items() if value is not None},
    )


def _reasons(reader: Reader, node: Node | None) -> Iterator[Reason]:
    names = Names("reason")
    for item in reader.items(node, "reasons", limit=WORDS_MAX):
        fields = reader.fields(item, "a reason", ("id", "name"), ("care",))
        id_ = reader.slug(fields.get("id"), "a reason's id")
        name = reader.name(fields.get("name"), f"the name of the reason {id_}" if id_ else "a reason's name")
        care = reader.choice(fields.get("care"), "the care status of a reason", CARES)
        if id_ and names.add(reader, fields["id"], id_) and name:
            yield Reason.model_validate({"id": id_, "name": name, **({"care": care} if care else {})})


def _lists(reader: Reader, node: Node | None, scope: Scope) -> Iterator[KeywordList]:
    for item in reader.items(node, "keyword_lists", limit=LISTS_MAX):
        fields = reader.fields(item, "a keyword list", ("id", "words"))
        id_ = reader.slug(fields.get("id"), "a keyword list's id")
        words: tuple[str, ...] = ()
        if "words" in fields:
            of = f"the keyword list {id_}" if id_ else "a keyword list"
            words = read_words(
                reader, fields["words"], f"the words of {of}", Word, limit=WORDS_MAX, at_least=1
            )
        if id_ and scope.lists.add(reader, fields["id"], id_) and words:
            yield KeywordList(id=id_, words=words)


def _outside(reader: Reader, node: Node | None, scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield who answers outside, by the channel's id of him."""
    if node is None:
        return
    if not isinstance(node, Fields) or len(node.pairs) > AGENTS_MAX:
        reader.note(
            node, "outside_agents of the policy is no mapping", "expected the channel's ids with agents"
        )
        return
    known = Names("person outside")
    for key, value in node.pairs:
        outside = reader.text(key, "the channel's id of a person outside", "expected a text")
        agent = reader.text(value, "the agent of a person outside", "expected the id of an agent")
        if outside is None or agent is None:
            continue
        if len(outside) > OUTSIDE_CHARS_MAX:
            reader.note(
                key, "the channel's id of a person outside is too long", f"at most {OUTSIDE_CHARS_MAX}"
            )
        elif known.add(reader, key, outside) and reader.known(
            value, agent, "agent", scope.agents, "the policy"
        ):
            yield outside, agent
