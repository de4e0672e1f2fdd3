"""What stands around an agent's words in a mail, and by what a reply's own words are told from the quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

Language = Literal["vi", "en"]

ABOVE: Mapping[Language, str] = {
    "vi": "##- Vui lòng trả lời phía trên dòng này -##",
    "en": "##- Please reply above this line -##",
}
_ABOUT: Mapping[Language, str] = {"vi": "yêu cầu số {}", "en": "request no. {}"}
_LINKED: Mapping[Language, str] = {
    "vi": "{} ({:.1f} MB, tải về trước {:%d/%m/%Y}):\n{}\n\n",
    "en": "{} ({:.1f} MB, to be fetched before {:%d %b %Y}):\n{}\n\n",
}
MB = 1_000_000
LINE_CHARS_MAX = 400
"""Of a line that may say who wrote what follows; mail programs write shorter ones."""

_SAYS_WHO = re.compile(
    r"(On|Vào|Ngày|Lúc|Am|Le|El)\b.{5,300}(wrote|đã viết|viết|schrieb|a écrit|escribió)\s?:\s?", re.IGNORECASE
)
_BEGINS = re.compile(
    r"-{2,10}\s?(Original Message|Thư gốc|Tin nhắn gốc|Forwarded message)\s?-{2,10}|_{20,100}", re.IGNORECASE
)


class Linked(NamedTuple):
    """A file that does not go within the mail: whoever has its link may fetch it until it ends."""

    name: str
    size_bytes: int
    url: str
    ends_at: datetime


def framed(text: str, name: str, ticket: int, language: Language, linked: Sequence[Linked]) -> str:
    """An agent's words as they are sent, behind them links to files; `name` is the page's."""
    links = "".join(
        _LINKED[language].format(one.name, one.size_bytes / MB, one.ends_at, one.url) for one in linked
    )
    return f"{ABOVE[language]}\n\n{text}\n\n{links}-- \n{name} · {_ABOUT[language].format(ticket)}\n"


def own_words(text: str) -> str:
    """A reply without what it quotes at its end, as far as one can tell; all of it when nothing is left."""
    lines = text.splitlines()
    end = next((number for number in range(len(lines)) if _begins_quote(lines, number)), len(lines))
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith(">")):
        end -= 1
    return "\n".join(lines[:end]).strip() or text.strip()


def _begins_quote(lines: list[str], number: int) -> bool:
    line = lines[number].strip()[:LINE_CHARS_MAX]
    if any(above in line for above in ABOVE.values()) or _BEGINS.fullmatch(line):
        return True
    both = f"{line} {lines[number + 1].strip()}" if number + 1 < len(lines) else line
    return any(_SAYS_WHO.fullmatch(each[:LINE_CHARS_MAX]) for each in (line, both))
