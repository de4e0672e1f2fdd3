"""The release of the contract, and how one is recorded for the tests of the next."""

from __future__ import annotations

import shutil
from pathlib import Path

from config.errors import UsageError

RELEASE = "0.1"
RECORDED = ("schemas", "examples")


def record_release(folder: Path) -> Path:
    """Copy today's schemas and examples to `released/<release>`, for good; returns that folder.

    Raises UsageError when that release has been recorded already: consumers rely on it.
    """
    released = folder / "released" / RELEASE
    if released.exists():
        raise UsageError(
            f"release {RELEASE} of the contract is recorded in {released} and never changes; "
            "raise RELEASE in workers/contract/release.py first"
        )
    for part in RECORDED:
        shutil.copytree(folder / part, released / part)
    return released
