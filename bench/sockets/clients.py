"""The client processes as the benchmark drives them."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson

from bench.failures import BenchError
from bench.program import PROJECT

DEADLINE_S = 60.0
ANSWER_BYTES_MAX = 512 * 1_048_576
STOP_DEADLINE_S = 10.0


class Client:
    """One process with many agents."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def order(self, do: str, timeout_s: float = DEADLINE_S, **order: object) -> Any:  # noqa: ANN401 - JSON
        """What the process answers. Raises BenchError when it fails, or is late."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            try:
                async with asyncio.timeout(timeout_s):
                    self._process.stdin.write(orjson.dumps({"do": do, **order}) + b"\n")
                    line = await self._process.stdout.readline()
            except TimeoutError:
                raise BenchError(f"clients: {do} took more than {timeout_s:g} s: {order}"[:500]) from None
        if not line:
            raise BenchError(f"a client process ended by itself while it was to {do}")
        answer = orjson.loads(line)
        if "error" in answer:
            raise BenchError(f"clients: {do}: {answer['error']}")
        return answer["answer"]

    async def stop(self) -> None:
        """Let it end, or end it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_DEADLINE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


class Clients:
    """Several processes that do the same, each with its part of the agents."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._clients = clients

    async def come(self, port: int, people: Sequence[tuple[str, str]]) -> None:
        """Let these people sign in, each process its part of them. Raises BenchError."""
        parts = [people[number :: len(self._clients)] for number in range(len(self._clients))]
        orders = (
            client.order("come", host="127.0.0.1", port=port, people=[tuple(one) for one in part])
            for client, part in zip(self._clients, parts, strict=True)
        )
        await asyncio.gather(*orders)

    async def all(self, do: str, timeout_s: float = DEADLINE_S, **order: object) -> list[Any]:
        """What all of them answer, one list. Raises BenchError."""
        found = await asyncio.gather(*(one.order(do, timeout_s, **order) for one in self._clients))
        return [each for answer in found for each in answer]

    async def sum(self, do: str) -> dict[str, int]:
        """What all of them answer, numbers by names, added up. Raises BenchError."""
        found: Counter[str] = Counter()
        for client in self._clients:
            found.update(await client.order(do))
        return dict(found)


@asynccontextmanager
async def clients(count: int) -> AsyncIterator[Clients]:
    """So many client processes, ended at the end."""
    started = [Client(await _start()) for _ in range(count)]
    try:
        yield Clients(started)
    finally:
        await asyncio.gather(*(one.stop() for one in started))


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.sockets.client"),
        stdin=PIPE,
        stdout=PIPE,
        cwd=PROJECT,
        limit=ANSWER_BYTES_MAX,
    )
