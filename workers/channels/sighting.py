"""What ingresses tell gateways of visitors who are on a website now: short-lived, and lost without harm."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple
from uuid import UUID

import orjson

from schemas.ids import page_of
from workers.channels.broadcast import packed
from workers.channels.glance import Place

CHANNEL = "tongdai_sighting"


class Sighting(NamedTuple):
    """Whether a visitor is at one ingress and, if so, on which page of the website; or that he types."""

    place: Place
    conversation_key: str
    """`channel:account:user`: of who has never written there is no conversation that would tell it."""
    online: bool
    known: bool = True
    """Whether he has ever written."""
    name: str = ""
    """As the website's server has signed it."""
    url: str = ""
    title: str = ""
    types: bool = False

    @property
    def page(self) -> str:
        """`channel:account`."""
        return page_of(self.conversation_key)

    @property
    def key(self) -> Hashable:
        """The last word on a visitor is the one that counts; that he types stands beside it."""
        return (*self.place, self.types)


def pack(ingress: str, sightings: Iterable[Sighting]) -> Iterable[str]:
    """Texts that say it, each small enough for a notification."""
    said = ([one.place[0], one.place[1].hex, *one[1:]] for one in sightings)
    return packed(ingress, (orjson.dumps(each).decode() for each in said))


def unpack(text: str) -> tuple[str, list[Sighting]]:
    """What was packed, and at which ingress. Raises ValueError when it is none of ours."""
    try:
        ingress, said = orjson.loads(text)
        return str(ingress), [
            Sighting(
                (str(workspace), UUID(hex=id_)),
                str(key),
                bool(online),
                bool(known),
                str(name),
                str(url),
                str(title),
                bool(types),
            )
            for workspace, id_, key, online, known, name, url, title, types in said
        ]
    except (orjson.JSONDecodeError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
