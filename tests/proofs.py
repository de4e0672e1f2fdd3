"""Which tests a file has, for pages that name them as proofs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


def proofs_in(file: Path) -> set[str]:
    """As pytest names them behind the file: `test_this`, `TestThat::test_this`. Raises FileNotFoundError."""
    return set(_tests(ast.parse(file.read_bytes()).body))


def _tests(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.ClassDef(name=name, body=inner) if name.startswith("Test"):
                yield from (f"{name}::{test}" for test in _tests(inner))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name.startswith("test_"):
                yield name
