"""A key that the local profile draws once and keeps on this machine."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept_key(path: Path) -> str:
    """The key in the file; drawn when there is none. Two that start together get the same. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        path.hardlink_to(drawn)
    except FileExistsError:
        pass
    finally:
        drawn.unlink()
    return path.read_text(encoding="utf-8").strip()
