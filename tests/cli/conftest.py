"""The command line on this run's Kafka: its settings by the environment, as a person would give them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from config.settings import Settings
from workers.cli.main import run


class Done(NamedTuple):
    """What a command exited with and printed."""

    exit_code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - whatever the command printed
        return json.loads(self.out)


Tongdai = Callable[..., Awaitable[Done]]


@pytest.fixture
def environment(kafka_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that name this test's topics; no `.env`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONGDAI_KAFKA_BOOTSTRAP_SERVERS", kafka_settings.kafka.bootstrap_servers)
    monkeypatch.setenv("TONGDAI_KAFKA_TOPIC_PREFIX", kafka_settings.kafka.topic_prefix)


@pytest.fixture
def tongdai(environment: None, capsys: pytest.CaptureFixture[str]) -> Tongdai:
    """Call `tongdai` with arguments; it runs a loop of its own in a thread of its own."""

    def called(*args: str) -> int:
        with pytest.raises(SystemExit) as exited:
            run(args)
        return int(exited.value.code or 0)

    async def call(*args: str) -> Done:
        capsys.readouterr()
        exit_code = await asyncio.to_thread(called, *args)
        printed = capsys.readouterr()
        return Done(exit_code, printed.out, printed.err)

    return call
