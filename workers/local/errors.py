"""What can go wrong with a local server, said to a person."""

from __future__ import annotations

from pathlib import Path

from config.errors import DependencyError

TAIL_LINES = 15
TAIL_BYTES = 16_384


class LocalServerError(DependencyError):
    """A local Kafka or PostgreSQL could not be fetched, started or stopped; says why and what to do."""


def log_tail(log: Path) -> str:
    """The last lines of a server's log, indented, for an error message.

    Args:
        log: the server's log file; it may not exist yet.
    """
    if not log.exists():
        return f"  ({log} was never written)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join(f"  | {line}" for line in lines) or f"  ({log} is empty)"
