"""Kafka's access control lists for each worker's user: its topics, groups and transactions, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from workers.access.rights import WORKERS, Rights

Resource = Literal["topic", "group", "transactional-id"]
Operation = Literal["Read", "Write", "Describe"]


class Acl(NamedTuple):
    """One permission of one user. `prefixed`: for everything whose name begins with `name`."""

    user: str
    operation: Operation
    resource: Resource
    name: str
    prefixed: bool = False


def acls(user_prefix: str, topic_prefix: str) -> list[Acl]:
    """All that workers need; the user of routing is `<user_prefix>-routing`."""
    return [
        Acl(f"{user_prefix}-{worker}", *what)
        for worker, rights in WORKERS.items()
        for what in _of(rights, topic_prefix)
    ]


def command(acl: Acl) -> str:
    """The line that gives it, for Kafka's own `kafka-acls.sh`."""
    pattern = " --resource-pattern-type prefixed" if acl.prefixed else ""
    return (
        'kafka-acls.sh --bootstrap-server "$KAFKA" --command-config "$ADMIN" --add'
        f" --allow-principal 'User:{acl.user}' --operation {acl.operation}"
        f" --{acl.resource} '{acl.name}'{pattern}"
    )


def _of(rights: Rights, prefix: str) -> Iterator[tuple[Operation, Resource, str, bool]]:
    # Every worker looks whether all topics are there, with the partitions that belong together.
    yield "Describe", "topic", f"{prefix}.", True
    for topic in rights.reads:
        yield "Read", "topic", topic.full_name(prefix), False
    for topic in rights.writes:
        yield "Write", "topic", topic.full_name(prefix), False
    for lane in rights.lanes:
        yield "Read", "group", f"{prefix}.{lane}", False
        yield "Write", "transactional-id", f"{prefix}.{lane}.", True
