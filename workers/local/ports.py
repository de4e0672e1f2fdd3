"""Free ports for local servers."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from workers.local.errors import LocalServerError

LOOPBACK = "127.0.0.1"
LOWEST_PORT = 15_000
ATTEMPTS = 200
EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A loopback port that nothing listens on, below the range that outgoing connections take theirs from.

    Nobody else who asks on this machine is told the same one while this process lives. A port of that range
    could be taken by a client that reconnects to a server which is just down, and the server could then not
    come back on it.

    Raises:
        LocalServerError: no free port was found.
    """
    highest = _first_ephemeral_port() - 1
    for _ in range(ATTEMPTS):
        port = LOWEST_PORT + secrets.randbelow(highest - LOWEST_PORT)
        if _reserve(port) and is_free(port):
            return port
    raise LocalServerError(f"No free port between {LOWEST_PORT} and {highest} on {LOOPBACK}.")


def settle_port(asked: int, remembered: Path) -> int:
    """The port a server shall listen on, remembered for the next start.

    Args:
        asked: the port that is wanted; 0 for the one of last time when it is free, else any free one.
        remembered: the file that keeps it.

    Raises:
        LocalServerError: the asked port is taken.
    """
    if asked and not is_free(asked):
        raise LocalServerError(f"The port {LOOPBACK}:{asked} is taken by another program.")
    last = int(remembered.read_text()) if remembered.exists() else 0
    port = asked or (last if last and is_free(last) else free_port())
    remembered.write_text(str(port))
    return port


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _reserve(port: int) -> bool:
    """Keep it for this process; false: another one, or this one, has it.

    By a datagram socket on its number, which says nothing and is open until the process ends: servers listen
    on streams, for which the port stays free.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mark:
        try:
            mark.bind((LOOPBACK, port))
        except OSError:
            return False
        mark.detach()
    return True


def _first_ephemeral_port() -> int:
    if not EPHEMERAL_RANGE.exists():
        return 32_768
    return max(int(EPHEMERAL_RANGE.read_text().split()[0]), LOWEST_PORT + ATTEMPTS)
