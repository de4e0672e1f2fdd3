"""What gateways tell each other of who looks and who types: short-lived, and lost without harm."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple
from uuid import UUID

import orjson

from workers.channels.broadcast import packed

CHANNEL = "tongdai_glance"
AGENTS_MAX = 50
"""Looking at one conversation at one gateway: who is beyond is not told elsewhere."""

Place = tuple[str, UUID]
"""Workspace and conversation."""


class Glance(NamedTuple):
    """Who looks at a conversation at one gateway: all who do; or one who types in it."""

    place: Place
    agents: tuple[str, ...]
    types: bool = False

    @property
    def key(self) -> Hashable:
        """The last word on a place is the one that counts; who types, each by himself."""
        return (*self.place, self.agents if self.types else None)


def pack(gateway: str, glances: Iterable[Glance]) -> Iterable[str]:
    """Texts that say it, each small enough for a notification."""
    said = ([one.place[0], one.place[1].hex, one.agents[:AGENTS_MAX], int(one.types)] for one in glances)
    return packed(gateway, (orjson.dumps(each).decode() for each in said))


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
