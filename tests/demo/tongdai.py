"""The command `tongdai` as a process, in a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

LINE_TIMEOUT_S = 90.0
END_TIMEOUT_S = 150.0


class Tongdai:
    """A running command; `lines` are what it has written so far."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, text: str) -> str:
        """The next line that holds `text`; fails with all that came when there is none in time."""
        try:
            async with asyncio.timeout(LINE_TIMEOUT_S):
                while (line := await self._line()) is not None:
                    if text in line:
                        return line
        except TimeoutError:
            pass
        raise AssertionError(f"{text!r} was never written:\n" + "\n".join(self.lines))

    async def ended(self) -> int:
        """Its exit code, once everything it has written has been read."""
        async with asyncio.timeout(END_TIMEOUT_S):
            while await self._line() is not None:
                pass
            return await self.process.wait()

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    async def _line(self) -> str | None:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if line:
            self.lines.append(line.decode().rstrip("\n"))
        return self.lines[-1] if line else None


@asynccontextmanager
async def tongdai(
    *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Tongdai]:
    """Run `tongdai` with these arguments; killed at the end when it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from workers.cli.main import run; run()", *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **(environment or {})},
        stdout=PIPE,
        stderr=STDOUT,
        limit=1 << 20,
    )
    try:
        yield Tongdai(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def command_lines(pid: int) -> dict[int, str]:
    """The processes that `pid` has started and that run still, each with its command line."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return {child: _command_line(child) for child in children if runs(child)}


def runs(pid: int) -> bool:
    """Whether the process runs still: it is there, and no zombie."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _command_line(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""  # it has ended meanwhile
