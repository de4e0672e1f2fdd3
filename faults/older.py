"""An older version of the project beside this one: as it was before its newest migration."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
MIGRATIONS = Path("workers/migrations/versions")


def older_version(folder: Path) -> Path:
    """Put it into `folder`. Raises OSError when this is no checkout, or nothing is older."""
    newest = max(path.name for path in (ROOT / MIGRATIONS).glob("[0-9]*.sql"))
    added = (
        _git("log", "-1", "--diff-filter=A", "--format=%H", "--", str(MIGRATIONS / newest)).decode().strip()
    )
    if not added:
        raise OSError(f"{newest} is in no commit yet: there is no version before it")
    with tarfile.open(fileobj=io.BytesIO(_git("archive", f"{added}^"))) as archive:
        archive.extractall(folder, filter="data")
    return folder


def prepare(older: Path, environment: Mapping[str, str]) -> None:
    """Make topics and tables as that version does."""
    tongdai = str(Path(sys.executable).with_name("tongdai"))
    for command in (["topics", "apply"], ["migrate"]):
        subprocess.run(
            [tongdai, *command],
            env=of_version(environment, older),
            cwd=older,
            check=True,
            capture_output=True,
        )


def of_version(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment of a worker of the version in `folder`."""
    before = environment.get("PYTHONPATH", "")
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, (str(folder), before)))}


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
    if done.returncode:
        raise OSError(f"the older version cannot be had: {done.stderr.decode().strip()}")
    return done.stdout
