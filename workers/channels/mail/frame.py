"""What stands around an agent's words in a mail, and by what a reply's own words are told from the quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Language = Literal["vi", "en"]

ABOVE: Mapping[Language, str] = {
    "vi": "##- Vui lòng trả lời phía trên dòng này -##",
    "en": "##- Please reply above this line -##",
}
_ABOUT: Mapping[Language, str] = {"vi": "yêu cầu số {}", "en": "request no. {}"}
LINE_CHARS_MAX = 400
"""Of a line that may say who wrote what follows; mail programs write shorter ones."""

_SAYS_WHO = re.compile(
    r"(On|Vào|Ngày|Lúc|Am|Le|El)\b.{5,300}(wrote|đã viết|viết|schrieb|a écrit|escribió)\s?:\s?", re.IGNORECASE
)
_BEGINS = re.compile(
    r"-{2,10}\s?(Original Message|Thư gốc|Tin nhắn gốc|Forwarded message)\s?-{2,10}|_{20,100}", re.IGNORECASE
)


def framed(text: str, name: str, ticket: int, language: Language) -> str:
    """An agent's words as they are sent: `name` is the page's."""
    return f"{ABOVE[language]}\n\n{text}\n\n-- \n{name} · {_ABOUT[language].format(ticket)}\n"


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
