"""What tests wait for: a condition of their own, or a query that finds something."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

DEADLINE_S = 90.0


async def eventually(
    condition: Callable[[], Awaitable[object]], what: str, deadline_s: float = DEADLINE_S
) -> None:
    """Wait until it holds; fail naming it."""
    try:
        async with asyncio.timeout(deadline_s):
            while not await condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"it never came to pass that {what}") from None


async def until(connection: asyncpg.Connection[Any], condition: str, *arguments: object) -> None:
    """Wait until a query finds something; fail naming it."""

    async def found() -> object:
        return await connection.fetchval(f"SELECT EXISTS ({condition})", *arguments)

    await eventually(found, condition)
