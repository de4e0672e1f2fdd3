"""Reads the agents and departments of a desk."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.base import Channel
from schemas.definitions import AGENTS_MAX, CHANNELS_MAX, DEPARTMENTS_MAX, Agent, Department, PictureUrl
from workers.workspace.nodes import Fields, Node
from workers.workspace.reader import Reader
from workers.workspace.scope import Names, Scope
from workers.workspace.values import read_switch, read_text

CAPACITY_MAX = 1_000
_OPTIONS = ("picture", "capacity", "channel_capacity", "on_leave")


def read_agents(reader: Reader, node: Node | None, scope: Scope) -> Iterator[Agent]:
    """Yield the agents; an id belongs to one desk of the workspace."""
    for item in reader.items(node, "agents", limit=AGENTS_MAX):
        fields = reader.fields(item, "an agent", ("id", "name"), _OPTIONS)
        id_ = reader.slug(fields.get("id"), "an agent's id")
        who = f"the agent {id_}" if id_ else "an agent"
        name = reader.name(fields.get("name"), f"the name of {who}")
        picture = read_text(reader, fields.get("picture"), f"the picture of {who}", PictureUrl)
        capacity = reader.integer(fields.get("capacity"), f"the capacity of {who}", 1, CAPACITY_MAX)
        channels = dict(_channel_capacity(reader, fields.get("channel_capacity"), who))
        on_leave = read_switch(reader, fields.get("on_leave"), f"on_leave of {who}")
        # What the file does not say of leave stays as it is: agents go and come back by themselves.
        leave = {} if on_leave is None else {"on_leave": on_leave}
        if id_ and scope.add_agent(reader, fields["id"], id_) and name:
            yield Agent(
                id=id_, name=name, picture=picture, capacity=capacity, channel_capacity=channels, **leave
            )


def _channel_capacity(reader: Reader, node: Node | None, who: str) -> Iterator[tuple[Channel, int]]:
    if node is None:
        return
    what = f"the channel_capacity of {who}"
    if not isinstance(node, Fields) or len(node.pairs) > CHANNELS_MAX:
        reader.note(node, f"{what} is no mapping", f"expected up to {CHANNELS_MAX} channels with numbers")
        return
    known = Names("channel")
    for key, value in node.pairs:
        channel = reader.channel(key, f"a channel in {what}")
        if channel is None or not known.add(reader, key, channel):
            continue
        capacity = reader.integer(value, f"the {channel} capacity of {who}", 1, CAPACITY_MAX)
        if capacity is not None:
            yield channel, capacity


def read_departments(reader: Reader, node: Node | None, scope: Scope) -> Iterator[Department]:
    """Yield the departments; each agent that they name is one of the desk's."""
    for item in reader.items(node, "departments", limit=DEPARTMENTS_MAX):
        fields = reader.fields(item, "a department", ("id", "name", "agents"))
        id_ = reader.slug(fields.get("id"), "a department's id")
        who = f"the department {id_}" if id_ else "a department"
        name = reader.name(fields.get("name"), f"the name of {who}")
        agents = scope.agents.of_list(reader, fields.get("agents"), who, limit=AGENTS_MAX)
        if id_ and scope.departments.add(reader, fields["id"], id_) and name:
            yield Department(id=id_, name=name, agents=agents)
