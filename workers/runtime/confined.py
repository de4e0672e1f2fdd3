"""Work that others' bytes could make endless, in a process of its own that has so much memory and time.

What the library does that reads them is then its own affair: a bad file costs its process.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from typing import NamedTuple

COMPLAINT_CHARS_MAX = 200


class Ended(NamedTuple):
    """A confined process has ended by itself, or by its limits."""

    code: int
    """0: it has done its work. Negative: the number of the signal that ended it."""
    said: bytes
    complaint: str


def confine(memory_bytes: int, processor_s: int, file_bytes: int = 0) -> None:
    """Limit this process, for good: addresses, processor time, and the size of a file that it writes."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # Ended by SIGXCPU, by which its end is told from others; were both the same it would be SIGKILL.
    resource.setrlimit(resource.RLIMIT_CPU, (processor_s, processor_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


async def run_confined(module: str, *arguments: str, deadline_s: float, given: bytes = b"") -> Ended:
    """What `python -m module` says, which confines itself and reads `given`.

    Raises TimeoutError when it was ended because the deadline was over, and OSError when it cannot begin.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", module, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(deadline_s):
            said, complaint = await process.communicate(given)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, said, complaint.decode(errors="replace")[-COMPLAINT_CHARS_MAX:])
