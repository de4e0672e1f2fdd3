"""What is checked out, as git tells it: a result says of which commit it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

UNKNOWN = "unknown"
FAILURES = (OSError, subprocess.SubprocessError)
"""What `git` raises without git, outside of a checkout, and for a commit that is not there."""
GIT_S = 10.0


def checked_out(root: Path, *paths: str) -> str:
    """The commit that is checked out, with a `+` when files differ; `unknown` outside of a checkout.

    With `paths`, as git writes them, nothing else makes another version: see `newest`.
    """
    try:
        changed = git(root, "status", "--porcelain", "--untracked-files=no", "--", *paths)
        return f"{newest(root, 'HEAD', *paths)}{'+' if changed else ''}"
    except FAILURES:
        return UNKNOWN


def newest(root: Path, name: str, *paths: str) -> str:
    """The newest commit of `name` that changes one of `paths`; without any, `name` itself."""
    return git(root, "log", "-1", "--abbrev=12", "--format=%h", "--end-of-options", name, "--", *paths)


def git(root: Path, *arguments: str) -> str:
    """What git says; it takes no lock, so that others may commit meanwhile. Raises one of FAILURES."""
    done = subprocess.run(  # noqa: S603  our own command
        ["git", "--no-optional-locks", "-C", str(root), *arguments],  # noqa: S607  whichever git people have
        capture_output=True,
        text=True,
        timeout=GIT_S,
        check=True,
    )
    return done.stdout.strip()
