"""A load generator as a process of its own: its plan goes in as JSON, what it found comes out as JSON."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from typing import Any, NamedTuple

import orjson

from bench.failures import BenchError
from bench.program import PROJECT


async def generate(module: str, plan: NamedTuple, deadline_s: float) -> dict[str, Any]:
    """Let `module` do as `plan` says. Raises BenchError when it fails, or is late."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module), stdin=PIPE, stdout=PIPE, cwd=PROJECT
    )
    try:
        async with asyncio.timeout(deadline_s):
            said, _ = await process.communicate(orjson.dumps(plan._asdict()))
    except TimeoutError:
        raise BenchError(f"{module} took more than {deadline_s:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    answer = orjson.loads(said or b'{"error": "it has ended by itself"}')
    if "error" in answer:
        raise BenchError(f"{module}: {answer['error']}")
    found: dict[str, Any] = answer["answer"]
    return found
