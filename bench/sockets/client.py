"""A process with many agents: `python -m bench.sockets.client`.

Takes orders on its standard input, one JSON object a line, and answers each on its standard output in turn;
it ends with its input, so it never outlives who started it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson
import uvloop

from bench.sockets.group import Group
from workers.runtime.garbage import collect_seldom

ORDER_BYTES_MAX = 64 * 1_048_576


async def run() -> None:
    """Do as ordered, one order after the other, until there are no more."""
    collect_seldom()
    reader = asyncio.StreamReader(limit=ORDER_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    group = Group()
    while line := await reader.readline():
        order = orjson.loads(line)
        answer = await _until_failure(group, _do(group, order.pop("do"), order))
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()


async def _until_failure(group: Group, doing: Any) -> dict[str, Any]:  # noqa: ANN401 - a coroutine
    """The answer; what went wrong as `error`."""
    task = asyncio.create_task(doing)
    await asyncio.wait((task, group.failure), return_when=asyncio.FIRST_COMPLETED)
    if group.failure.done():
        task.cancel()
        return {"error": group.failure.result()}
    error = task.exception()
    return {"error": repr(error)} if error else {"answer": task.result()}


async def _do(group: Group, do: str, order: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    match do:
        case "come":
            return await group.come(**order)
        case "hear":
            return await group.hear(**order)
        case "click":
            return [tuple(one) for one in await group.click(**order)]
        case "keep_asking":
            return [tuple(one) for one in await group.keep_asking(**order)]
        case "left" | "pushes":
            return group.left() if do == "left" else group.pushes()
    raise ValueError(do)


if __name__ == "__main__":
    uvloop.run(run())
