"""Waiting that ends when something happens."""

from __future__ import annotations

import asyncio


async def pause(ended: asyncio.Event, wait_s: float) -> bool:
    """Wait so many seconds; returns at once, with true, when it has ended."""
    if wait_s > 0:
        await first(ended, timeout_s=wait_s)
    return ended.is_set()


async def first(*events: asyncio.Event, timeout_s: float | None = None) -> None:
    """Wait for one of the events, or for the time to be over."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
