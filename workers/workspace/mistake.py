"""What is wrong in a workspace file, said so that a person can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigurationError

NEAR = 0.6
"""How much alike two names must be for one to be taken as the other mistyped; 1 is equal."""
VERY_NEAR = 0.85
"""The same where a name may well be new."""


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake, with its place in the file: line and column from 1."""

    line: int
    column: int
    what: str
    expected: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.what}: {self.expected}"


class UnreadableFileError(ConfigurationError):
    """A workspace file is not there, or may not be read."""


class WorkspaceFileError(ConfigurationError):
    """A workspace file cannot be applied; `mistakes` lists all that were found, in the order of the file."""

    def __init__(self, path: Path, mistakes: Iterable[Mistake]) -> None:
        self.path = path
        self.mistakes = tuple(sorted(mistakes))
        count = len(self.mistakes)
        head = f"{path} has {count} mistake{'s' if count > 1 else ''}, nothing was changed:"
        super().__init__("\n".join([head, *(f"{path}:{mistake}" for mistake in self.mistakes)]))


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return `did you mean …?` with the name that is most like it, or `otherwise`."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=NEAR)
    return f"did you mean {near[0]}?" if near else otherwise


def is_mistyped(name: str, known: Collection[str]) -> bool:
    """Whether `name`, though it might be new, is rather one of `known` mistyped."""
    return name not in known and bool(difflib.get_close_matches(name, known, n=1, cutoff=VERY_NEAR))
