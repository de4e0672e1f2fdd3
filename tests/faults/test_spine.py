"""The short form of the campaign: the faults that everything must survive, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAULTS = ("kill_routing", "kill_gateway", "freeze_notifier", "restart_broker")


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_nothing_is_lost_doubled_or_unfair_whatever_is_killed(server_dir: Path) -> None:
    arguments = {
        "--messages": "1000",
        "--rate": "200",
        "--seed": "20261122",
        "--faults": "/".join(FAULTS),
        "--pause": "0.5",
        "--folder": str(server_dir),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "faults.spine", "--once"),
        *(part for argument in arguments.items() for part in argument),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()
