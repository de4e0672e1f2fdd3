"""Which version a run has tried: the newest commit that changes more than what campaigns write themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

from config.errors import UsageError

ROOT = Path(__file__).parents[1]
CODE = ("--", ".", ":(exclude)docs/reliability*")
"""Results may be committed while a campaign goes on: that makes no other version of what it tries."""
UNKNOWN = "unknown"
GIT_S = 10.0


def version(root: Path = ROOT) -> str:
    """The commit that is checked out, with a `+` when files differ; `unknown` outside of a checkout."""
    try:
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", *CODE)
        return f"{_newest(root, 'HEAD')}{'+' if changed else ''}"
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN


def commit_of(name: str, root: Path = ROOT) -> str:
    """The commit of the version that somebody names. Raises UsageError when this checkout has none."""
    try:
        return _newest(root, name)
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"--since {name}: there is no such commit in {root}") from error


def is_since(tried: str, commit: str, root: Path = ROOT) -> bool:
    """Whether the version that was tried has all of this commit; not if nobody here knows it."""
    try:
        _git(root, "merge-base", "--is-ancestor", commit, tried.rstrip("+"))
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _newest(root: Path, name: str) -> str:
    return _git(root, "log", "-1", "--abbrev=12", "--format=%h", "--end-of-options", name, *CODE)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "--no-optional-locks", "-C", str(root), *arguments],
        capture_output=True,
        text=True,
        timeout=GIT_S,
        check=True,
    )
    return done.stdout.strip()
