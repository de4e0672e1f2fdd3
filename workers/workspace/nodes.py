"""A YAML document as nodes that know their place.

Made from YAML's events rather than by PyYAML's composer: that one recurses, and a file of many opening
brackets would take the process down. Scalars keep their text, so that `0123` or `no` stays what was written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from workers.workspace.mistake import Mistake

FILE_BYTES_MAX = 4 * 1024 * 1024
DEPTH_MAX = 12
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as text; `quoted` when it stood in quotes or as a block."""

    line: int
    column: int
    text: str
    quoted: bool

    @property
    def is_null(self) -> bool:
        """Whether nothing was written."""
        return not self.quoted and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping: its keys and values in the order in which they were written."""

    line: int
    column: int
    pairs: list[tuple[Node, Node]] = field(default_factory=list)


Node = Scalar | Items | Fields


class UnreadableYamlError(Exception):
    """The text is not YAML as we take it; `mistake` says where and why."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


def parse(text: str) -> Node:
    """Return the one document of `text`. Raises UnreadableYamlError."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _unreadable(mark, f"this is not YAML ({error.problem})", "see what stands before it") from error
    except yaml.YAMLError as error:
        raise _unreadable(None, f"this is not YAML ({error})", "UTF-8 text is expected") from error
    if builder.document is None:
        raise _unreadable(None, "the file is empty", "workspace: <id> and its agents, pages and rules")
    return builder.document


class _Builder:
    """Puts nodes together from the parser's events, with a limit on depth."""

    def __init__(self) -> None:
        self.document: Node | None = None
        self._open: list[Items | Fields] = []
        self._key: list[Node | None] = []

    def take(self, event: Any) -> None:  # noqa: ANN401 - PyYAML's events have no types
        """Add what one event says."""
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        match event:
            case yaml.ScalarEvent():
                self._add(Scalar(line, column, event.value, event.style not in {None, ""}))
            case yaml.SequenceStartEvent():
                self._enter(Items(line, column), event)
            case yaml.MappingStartEvent():
                self._enter(Fields(line, column), event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._open.pop()
                self._key.pop()
            case yaml.AliasEvent():
                raise _unreadable(event.start_mark, "this is an alias", "write the value out")
            case yaml.DocumentStartEvent() if self.document is not None:
                raise _unreadable(event.start_mark, "a second document begins", "one file, one workspace")

    def _enter(self, node: Items | Fields, event: Any) -> None:  # noqa: ANN401
        if len(self._open) >= DEPTH_MAX:
            raise _unreadable(event.start_mark, "this is nested too deeply", f"at most {DEPTH_MAX} levels")
        self._add(node)
        self._open.append(node)
        self._key.append(None)

    def _add(self, node: Node) -> None:
        if not self._open:
            self.document = node
            return
        parent, key = self._open[-1], self._key[-1]
        if isinstance(parent, Items):
            parent.items.append(node)
        elif key is None:
            self._key[-1] = node
        else:
            parent.pairs.append((key, node))
            self._key[-1] = None


def _unreadable(mark: Any, what: str, expected: str) -> UnreadableYamlError:  # noqa: ANN401
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return UnreadableYamlError(Mistake(line, column, what, expected))
