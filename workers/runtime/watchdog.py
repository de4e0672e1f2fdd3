"""The watchdog: a thread that ends the process when there is work and nothing moves."""

from __future__ import annotations

import asyncio
import faulthandler
import io
import os
import socket
import sys
import threading
from collections.abc import Sequence
from time import monotonic

import structlog

from workers.runtime.status import Status

log = structlog.get_logger(__name__)

CHECK_INTERVAL_S = 1.0
CONNECT_TIMEOUT_S = 2.0
TELL_LIMIT_S = 5.0
"""Even the log may hang, when nobody reads what the process writes."""
EXIT_CODE = 1


class Watchdog(threading.Thread):
    """Looks at the statuses once a second; a thread, so that a blocked event loop is seen too.

    While no Kafka server can be reached nothing can move, and ending the process would not help; when one
    can again there is the whole limit to catch up.
    """

    def __init__(
        self,
        statuses: Sequence[Status],
        loop: asyncio.AbstractEventLoop,
        *,
        limit_s: float,
        bootstrap_servers: str,
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._statuses = statuses
        self._bootstrap_servers = bootstrap_servers
        self._event_loop = loop
        self._limit_s = limit_s
        self._unreachable_at = -limit_s
        self._ended = threading.Event()

    def end(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def run(self) -> None:
        """Check until ended."""
        while not self._ended.wait(CHECK_INTERVAL_S):
            if not self._stuck():
                continue
            if not any_reachable(self._bootstrap_servers):
                self._unreachable_at = monotonic()
            elif monotonic() - self._unreachable_at > self._limit_s and (stuck := self._stuck()):
                self._exit(stuck)  # asking took a while, too, in which it may have begun to move

    def _stuck(self) -> list[Status]:
        return [status for status in self._statuses if status.stuck_s(monotonic()) > self._limit_s]

    def _exit(self, stuck: Sequence[Status]) -> None:
        faulthandler.dump_traceback_later(TELL_LIMIT_S, exit=True, file=sys.stderr)
        try:
            self._tell(stuck)
        finally:
            # Not sys.exit: nothing of this process is to be trusted any more.
            os._exit(EXIT_CODE)

    def _tell(self, stuck: Sequence[Status]) -> None:
        for status in stuck:
            log.critical(
                "stuck",
                kind=status.kind,
                lag=status.lag,
                stuck_s=round(status.stuck_s(monotonic())),
                tasks=task_stacks(self._event_loop),
            )
        faulthandler.dump_traceback(file=sys.stderr, all_threads=True)


def any_reachable(servers: str) -> bool:
    """Whether one of `host:port[,host:port…]` takes a connection."""
    for server in servers.split(","):
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT_S).close()
        except OSError:
            continue
        return True
    return False


def task_stacks(loop: asyncio.AbstractEventLoop) -> str:
    """The stacks of all tasks, as text."""
    out = io.StringIO()
    for task in asyncio.all_tasks(loop):
        task.print_stack(file=out)
    return out.getvalue()
