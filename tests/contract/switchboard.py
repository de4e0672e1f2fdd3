"""Real workers as processes, for the tests of what they write."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

from config.settings import Settings
from schemas.outcomes import Done
from workers.workspace.apply import apply_plan, plan_workspace
from workers.workspace.loader import load_workspace

DEADLINE_S = 90.0
LOG_CHARS = 2_000
ROOT = Path(__file__).parents[2]
_TONGDAI = str(Path(sys.executable).with_name("tongdai"))
ROUTING = (_TONGDAI, "worker", "routing")
NOTIFIER = (_TONGDAI, "worker", "notifier")


@asynccontextmanager
async def running(
    *command: str, folder: Path, environment: Mapping[str, str], output: int | None = None
) -> AsyncIterator[Process]:
    """A process that is stopped at the end; what it says goes to a file, or is read when `output` is PIPE."""
    with (folder / f"{uuid4().hex}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment, stdout=output or log, stderr=log
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), DEADLINE_S)


@asynccontextmanager
async def switchboard(
    settings: Settings, folder: Path, file: Path, workers: Sequence[Sequence[str]] = (ROUTING,)
) -> AsyncIterator[None]:
    """Workers at work, each by its command, with a workspace file applied."""
    async with AsyncExitStack() as stack:
        for command in workers:
            process = running(*command, folder=folder, environment=_environment(settings))
            await stack.enter_async_context(process)
        workspace = load_workspace(file)
        (outcome,) = await apply_plan(settings, await plan_workspace(settings, workspace), DEADLINE_S)
        assert isinstance(outcome.outcome, Done), _told(folder, f"not carried out: {outcome.outcome}")
        assert not (await plan_workspace(settings, workspace)).changing, (
            "applying again would change something"
        )
        yield


def _told(folder: Path, problem: str) -> str:
    """A problem, with what the workers said last."""
    logs = [path.read_text(encoding="utf-8")[-LOG_CHARS:] for path in folder.glob("*.log")]
    return "\n".join([problem, *logs])


def _environment(settings: Settings) -> dict[str, str]:
    kafka = settings.kafka
    ours = {
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TONGDAI_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "TONGDAI_KAFKA_CONVERSATION_PARTITIONS": str(kafka.conversation_partitions),
        "TONGDAI_KAFKA_DESK_PARTITIONS": str(kafka.desk_partitions),
        "PYTHONPATH": str(ROOT),
        "TONGDAI_POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
    }
    return {**os.environ, **ours}
