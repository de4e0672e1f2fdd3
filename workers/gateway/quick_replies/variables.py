"""Variables of quick replies: a closed list of names, written `{{customerName}}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

from schemas.ids import channel_of

VARIABLES_MAX = 20
"""In one text."""

_PARTS = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_BRACES = re.compile(r"\{\{|\}\}")


class Known(NamedTuple):
    """What is known where a quick reply is used."""

    page: str
    page_name: str
    agent_name: str
    """Of who asks."""
    name: str | None = None
    """The customer's, in our system."""
    channel_name: str | None = None
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    birthday: date | None = None


class Filled(NamedTuple):
    """A text for the composer."""

    text: str
    empty: tuple[str, ...]
    """Variables of which nothing is known."""


def _name_on(channel: str) -> Callable[[Known], str | None]:
    return lambda known: known.channel_name if channel_of(known.page) == channel else None


VARIABLES: dict[str, Callable[[Known], str | None]] = {
    "customerName": lambda known: known.name or known.channel_name,
    "facebook": _name_on("messenger"),
    "zalo": _name_on("zalo"),
    "sdtKhachHang": lambda known: known.phone,
    "emailKhachHang": lambda known: known.email,
    "diaChiKhachHang": lambda known: known.address,
    "ngaySinhKhachHang": lambda known: known.birthday.strftime("%d/%m/%Y") if known.birthday else None,
    "agentName": lambda known: known.agent_name,
    "pageName": lambda known: known.page_name,
}
"""Each variable, and what stands for it."""


def mistakes(text: str) -> Iterator[str]:
    """What is wrong with the variables of `text`, in words."""
    names = [found[1] for found in _PARTS.finditer(text)]
    for name in dict.fromkeys(names):
        if name not in VARIABLES:
            yield f"{{{{{name}}}}} is no variable: known are {', '.join(VARIABLES)}"
    if len(names) > VARIABLES_MAX:
        yield f"a text has at most {VARIABLES_MAX} variables"
    if _BRACES.search(_PARTS.sub(" ", text)):
        yield "double braces stand around the name of a variable and nowhere else"


def fill(text: str, known: Known) -> Filled:
    """`text` with what is known. Values are taken as they are: what looks like a variable in one is none."""
    names = dict.fromkeys(found[1] for found in _PARTS.finditer(text) if found[1] in VARIABLES)
    values = {name: VARIABLES[name](known) or "" for name in names}
    filled = _PARTS.sub(lambda found: values.get(found[1], found[0]), text)
    return Filled(filled, tuple(name for name, value in values.items() if not value))
