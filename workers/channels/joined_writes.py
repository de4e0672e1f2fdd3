"""A transport that sends together what is written in one round of the event loop.

uvloop sends at once whatever is written, and uvicorn writes an answer's head and its body one after the
other: two calls of the kernel and two packets, each of which wakes whoever reads.
"""

from __future__ import annotations

import asyncio
from typing import Any

WAITING_BYTES_MAX = 65_536
"""What is more than this goes at once."""


class JoinedWrites:
    """Stands before a transport, which does all else."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def write(self, data: bytes) -> None:
        """Send it before the next round."""
        if not self._waiting:
            self._loop.call_soon(self.send)
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > WAITING_BYTES_MAX:
            self.send()

    def close(self) -> None:
        """Send what waits, and close."""
        self.send()
        self.transport.close()

    def write_eof(self) -> None:
        """Send what waits, and say that nothing more comes."""
        self.send()
        self.transport.write_eof()

    def send(self) -> None:
        """Send what waits, now; nobody is left to send it to once the transport is closed."""
        together, self._waiting, self._waiting_bytes = b"".join(self._waiting), [], 0
        if together and not self.transport.is_closing():
            self.transport.write(together)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever it is
        return getattr(self.transport, name)
