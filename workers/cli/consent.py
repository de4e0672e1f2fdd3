"""Asking a person before something is done, unless told not to."""

from __future__ import annotations

import sys

import typer

from config.errors import UsageError


def ask(question: str, instead: str, *, yes: bool, json: bool = False) -> None:
    """Go on when the answer is yes. Where nobody can be asked `instead` says what to do: UsageError."""
    if yes:
        return
    if json or not sys.stdin.isatty():
        raise UsageError(f"nobody can be asked here: {instead}")
    typer.confirm(question, abort=True)
