"""Each socket is an open file: shells allow a thousand, which is far less than a gateway takes."""

from __future__ import annotations

import resource

from config.logging import get_logger

BESIDE_SOCKETS = 500
"""Connections to Kafka and Postgres, requests, the interpreter's own."""

_log = get_logger(__name__)


def allow_sockets(count: int) -> None:
    """Raise this process's limit so that it may have so many sockets, as far as the system lets it."""
    wanted = count + BESIDE_SOCKETS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    if possible < wanted:
        _log.warning("few_open_files", limit=possible, wanted=wanted, effect="sockets beyond it are refused")
