"""Reads nodes as the values that are expected, and collects what is wrong with their place."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.base import OUR_CHANNELS, Account, Channel, Name, Slug
from workers.workspace.mistake import Mistake, did_you_mean, is_mistyped
from workers.workspace.nodes import Fields, Items, Node, Scalar

SLUG_EXPECTED = "expected 1 to 63 of a-z, 0-9 and -, not beginning with -"
NAME_EXPECTED = "expected 1 to 200 characters without control characters"
ACCOUNT_EXPECTED = "expected the page's id on its channel, 1 to 128 characters without colons"
CHANNEL_EXPECTED = f"expected {', '.join(OUR_CHANNELS)}, or a connector's: 1 to 32 of a-z, 0-9, -"
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)
_CHANNEL: TypeAdapter[str] = TypeAdapter(Channel)
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_ACCOUNT: TypeAdapter[str] = TypeAdapter(Account)
_INTEGER = re.compile(r"[0-9]{1,9}")
_SHOWN_CHARS = 60
HINTS_MAX = 50
"""After so many mistakes nobody searches thousands of names for what was meant."""


class Reader:
    """Collects mistakes; each method returns what could be read, or `None` after noting a mistake."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def note(self, node: Node, what: str, expected: str) -> None:
        """Add a mistake at `node`."""
        self.mistakes.append(Mistake(node.line, node.column, what, expected))

    def fields(
        self, node: Node, what: str, required: Sequence[str], optional: Sequence[str] = ()
    ) -> dict[str, Node]:
        """Return the fields of a mapping by name; missing, unknown and repeated ones are mistakes."""
        if not isinstance(node, Fields):
            self.note(node, f"{what} is {_kind(node)}", f"expected a mapping with {', '.join(required)}")
            return {}
        found: dict[str, Node] = {}
        for key, value in node.pairs:
            self._field(found, key, value, what, (*required, *optional))
        for name in required:
            if name not in found:
                self.note(node, f"{what} has no {name}", f"add {name}: …")
        return {name: value for name, value in found.items() if name in (*required, *optional)}

    def _field(
        self, found: dict[str, Node], key: Node, value: Node, what: str, allowed: Sequence[str]
    ) -> None:
        name = key.text if isinstance(key, Scalar) else _kind(key)
        if name in found:
            self.note(key, f"{name} stands twice in {what}", f"the first is in line {found[name].line}")
        elif name not in allowed:
            known = f"{what} takes {', '.join(allowed)}"
            self.note(key, f"{_shown(name)} is no field of {what}", did_you_mean(name, allowed, known))
        found.setdefault(name, value)

    def items(self, node: Node | None, what: str, *, limit: int, at_least: int = 0) -> list[Node]:
        """Return the members of a list; a field that is absent or left empty is an empty one."""
        if node is None or (isinstance(node, Scalar) and node.is_null):
            if at_least and node is not None:
                self.note(node, f"{what} is empty", f"expected a list of at least {at_least}")
            return []
        if not isinstance(node, Items):
            self.note(node, f"{what} is {_kind(node)}", "expected a list, such as [a, b]")
            return []
        if not at_least <= len(node.items) <= limit:
            self.note(node, f"{what} has {len(node.items)} members", f"expected {at_least} to {limit}")
        return node.items[:limit]

    def slug(self, node: Node | None, what: str) -> str | None:
        """Return an id that people choose."""
        return self._checked(node, what, _SLUG, SLUG_EXPECTED)

    def name(self, node: Node | None, what: str) -> str | None:
        """Return a name for people."""
        return self._checked(node, what, _NAME, NAME_EXPECTED)

    def account(self, node: Node | None, what: str) -> str | None:
        """Return a page's id on its channel."""
        return self._checked(node, what, _ACCOUNT, ACCOUNT_EXPECTED)

    def channel(self, node: Node | None, what: str) -> str | None:
        """Return a channel; a connector's own is not named almost like one of ours, which would be a slip."""
        channel = self._checked(node, what, _CHANNEL, CHANNEL_EXPECTED)
        if node is None or channel is None or not is_mistyped(channel, OUR_CHANNELS):
            return channel
        self.note(node, f"{what} is {_shown(channel)}", did_you_mean(channel, OUR_CHANNELS, CHANNEL_EXPECTED))
        return None

    def choice(self, node: Node | None, what: str, words: Sequence[str]) -> str | None:
        """Return one of `words`."""
        expected = f"expected {' or '.join(words)}"
        text = self.text(node, what, expected)
        if node is None or text is None or text in words:
            return text
        self.note(node, f"{what} is {_shown(text)}", did_you_mean(text, words, expected))
        return None

    def integer(self, node: Node | None, what: str, low: int, high: int) -> int | None:
        """Return a whole number from `low` to `high`."""
        expected = f"expected a whole number from {low} to {high}"
        text = self.text(node, what, expected)
        if node is None or text is None:
            return None
        if _INTEGER.fullmatch(text) and low <= int(text) <= high:
            return int(text)
        self.note(node, f"{what} is {_shown(text)}", expected)
        return None

    def text(self, node: Node | None, what: str, expected: str) -> str | None:
        """Return what was written, whatever it looks like; an absent field was told already."""
        if node is None:
            return None
        if isinstance(node, Scalar) and not node.is_null:
            return node.text
        self.note(node, f"{what} is {_kind(node)}", expected)
        return None

    def known(self, node: Node, name: str, kind: str, names: Collection[str], who: str) -> bool:
        """Say whether `name` is one of `names`; otherwise note that `who` names an unknown one."""
        if name in names:
            return True
        advice = f"add it to {kind}s, or take it out here"
        expected = did_you_mean(name, names, advice) if len(self.mistakes) < HINTS_MAX else advice
        self.note(node, f"{who} names the {kind} {_shown(name)}, which is not in {kind}s", expected)
        return False

    def _checked(self, node: Node | None, what: str, type_: TypeAdapter[Any], expected: str) -> str | None:
        text = self.text(node, what, expected)
        if node is None or text is None:
            return None
        try:
            return str(type_.validate_python(text))
        except ValidationError:
            self.note(node, f"{what} is {_shown(text)}", expected)
            return None


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return "empty" if node.is_null else _shown(node.text)
    return "a list" if isinstance(node, Items) else "a mapping"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…")
