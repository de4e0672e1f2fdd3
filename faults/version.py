"""Which version a run has tried: the newest commit that changes more than what campaigns write themselves."""

from __future__ import annotations

from pathlib import Path

from bench.checkout import FAILURES, checked_out, git, newest
from config.errors import UsageError

ROOT = Path(__file__).parents[1]
CODE = (".", ":(exclude)docs/reliability*")
"""Results may be committed while a campaign goes on: that makes no other version of what it tries."""


def version(root: Path = ROOT) -> str:
    """The commit that is checked out, with a `+` when files differ; `unknown` outside of a checkout."""
    return checked_out(root, *CODE)


def commit_of(name: str, root: Path = ROOT) -> str:
    """The commit of the version that somebody names. Raises UsageError when this checkout has none."""
    try:
        return newest(root, name, *CODE)
    except FAILURES as error:
        raise UsageError(f"--since {name}: there is no such commit in {root}") from error


def is_since(tried: str, commit: str, root: Path = ROOT) -> bool:
    """Whether the version that was tried has all of this commit; not if nobody here knows it."""
    try:
        git(root, "merge-base", "--is-ancestor", commit, tried.rstrip("+"))
    except FAILURES:
        return False
    return True
