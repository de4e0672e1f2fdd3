"""What the embedded servers have in common: a data folder, a port, and a life as a child process."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from workers.local.child import Child, Launch
from workers.local.data_dir import DataDir
from workers.local.errors import LocalServerError


class LocalServer(ABC):
    """A server that keeps its data in a folder. Nobody else can use the folder while it runs."""

    NAME: ClassVar[str]
    ABORT: ClassVar[signal.Signals]
    """What ends it at once, when it did not start."""

    def __init__(self, data_dir: Path, log: str, port: int = 0) -> None:
        self._dir = DataDir(data_dir)
        self._port = port
        self._child: Child | None = None
        self.log = self._dir.path / log

    @property
    def port(self) -> int:
        """Where clients connect. Raises LocalServerError before the first start."""
        if not self._port:
            raise LocalServerError(f"{self.NAME} has not been started: it has no address yet.")
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the running server. Raises LocalServerError when it does not run."""
        return self._running.pid

    async def start(self, timeout_s: float = 60.0) -> None:
        """Starts the server and waits until it answers; makes its data the first time.

        Raises:
            LocalServerError: the folder is in use, the port is taken, or it did not start.
        """
        if self._child is not None and self._child.alive:
            return
        await self._dir.acquire()
        try:
            self._child = Child(await self._prepare())
            await self._child.ready(self._answers, timeout_s)
        except BaseException:
            await self._end(self.ABORT, 30.0)
            raise

    @abstractmethod
    async def stop(self) -> None:
        """Shuts down in order."""

    async def failure(self) -> None:
        """Waits until it ends by itself, and raises LocalServerError then."""
        await self._running.failure()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @abstractmethod
    async def _prepare(self) -> Launch:
        """Makes what it needs in its folder; how it is to be started."""

    @abstractmethod
    async def _answers(self) -> bool:
        """Whether a client gets an answer."""

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise LocalServerError(f"{self.NAME} is not running.")
        return self._child

    async def _end(self, first: signal.Signals, timeout_s: float) -> None:
        """Ends it by a signal, or kills it when that takes too long; then the folder is free."""
        child, self._child = self._child, None
        if child is not None:
            await child.end(first, timeout_s)
        self._dir.release()
