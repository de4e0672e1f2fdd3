"""What gateways tell each other of who looks and who types: short-lived, and lost without harm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

import orjson

PAYLOAD_BYTES_MAX = 7_900
"""A notification of Postgres takes less than 8,000."""
AGENTS_MAX = 50
"""Looking at one conversation at one gateway: who is beyond is not told elsewhere."""

Place = tuple[str, UUID]
"""Workspace and conversation."""


class Glance(NamedTuple):
    """Who looks at a conversation at one gateway: all who do; or one who types in it."""

    place: Place
    agents: tuple[str, ...]
    types: bool = False


def pack(gateway: str, glances: Iterable[Glance]) -> Iterator[str]:
    """Texts that say it, each small enough for a notification."""
    head = f'["{gateway}",['
    parts: list[str] = []
    size = len(head) + 2
    for one in glances:
        said = [one.place[0], one.place[1].hex, one.agents[:AGENTS_MAX], int(one.types)]
        part = orjson.dumps(said).decode()
        if size + len(part) + 1 > PAYLOAD_BYTES_MAX:
            yield f"{head}{','.join(parts)}]]"
            parts, size = [], len(head) + 2
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield f"{head}{','.join(parts)}]]"


def unpack(text: str) -> tuple[str, list[Glance]]:
    """What was packed, and at which gateway. Raises ValueError when it is none of ours."""
    try:
        gateway, said = orjson.loads(text)
        return str(gateway), [
            Glance((str(workspace), UUID(hex=id_)), tuple(str(agent) for agent in agents), bool(types))
            for workspace, id_, agents, types in said
        ]
    except (orjson.JSONDecodeError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
