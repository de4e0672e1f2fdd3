"""What the workers of a crew write, are told, and how they are stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from config.settings import Settings, load_settings
from workers.local.crew import output
from workers.local.crew.crew import Crew
from workers.local.crew.duties import duties
from workers.local.crew.environment import SESSION_TIMEOUT_MS
from workers.local.crew.member import Duty
from workers.local.crew.output import LogFile, show_lines
from workers.local.crew.stop import Stop, StoppedEarlyError
from workers.local.demo.apps import ingress_variables, invent_apps

DSN = "postgresql://tongdai:secret@127.0.0.1:9/tongdai"
DEADLINE_S = 90.0


async def _shown(*chunks: bytes) -> list[str]:
    stream = asyncio.StreamReader()
    for chunk in chunks:
        stream.feed_data(chunk)
    stream.feed_eof()
    lines: list[str] = []
    await show_lines(stream, "routing", lines.append)
    return lines


async def test_each_line_has_its_workers_name() -> None:
    lines = await _shown("một\nh".encode(), "ai\n\xff\nba".encode("latin-1"))
    assert lines == ["routing  | một", "routing  | hai", "routing  | \ufffd", "routing  | ba"]


async def test_an_endless_line_is_shown_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "LINE_BYTES_MAX", 4)
    assert await _shown(b"abcdefghij\n") == ["routing  | abcd", "routing  | efgh", "routing  | ij"]


def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "LOG_MAX_BYTES", 3)
    path = tmp_path / "data" / "workers.log"
    for line in ("first", "second"):
        log = LogFile(path)
        log.show(line)
        log.close()
    assert path.read_text() == "second\n"
    assert path.with_suffix(".old.log").read_text() == "first\n"


async def test_the_first_signal_ends_work_and_the_second_what_goes_on_then() -> None:
    stop, never = Stop(), asyncio.Event()
    assert await stop.unless_asked(asyncio.sleep(0, "done")) == "done"
    stop.ask()
    with pytest.raises(StoppedEarlyError):
        await stop.unless_asked(never.wait())
    assert await stop.unless_hurried(asyncio.sleep(0, "done")) == "done"
    stop.ask()
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(StoppedEarlyError):
            await stop.unless_hurried(never.wait())


async def test_work_that_is_stopped_cleans_up_first() -> None:
    stop, cleaned = Stop(), asyncio.Event()

    async def work() -> None:
        try:
            stop.ask()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    with pytest.raises(StoppedEarlyError):
        await stop.unless_asked(work())
    assert cleaned.is_set()


def test_workers_learn_the_addresses_and_have_ports_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGDAI_ELSEWHERE", "passed on")
    settings = Settings().with_servers(bootstrap_servers="127.0.0.1:9", dsn=DSN)
    ingress, routing, notifier = duties(settings, ingress_port=1234)
    assert ingress.health == ("127.0.0.1", 1234)
    assert routing.health != notifier.health
    for duty in (ingress, routing, notifier):
        assert duty.arguments == ("worker", duty.name)
        assert duty.environment["TONGDAI_KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9"
        assert duty.environment["TONGDAI_POSTGRES_DSN"] == DSN
        assert duty.environment["TONGDAI_ELSEWHERE"] == "passed on"
        assert duty.environment["TONGDAI_RUNTIME_SESSION_TIMEOUT_MS"] == str(SESSION_TIMEOUT_MS)


def test_a_health_port_and_a_session_that_are_set_are_kept() -> None:
    runtime = {"health_port": 9100, "health_host": "0.0.0.0", "session_timeout_ms": 20_000}
    settings = Settings.model_validate({"runtime": runtime})
    _, routing, notifier = duties(settings, ingress_port=1234)
    assert (routing.health, notifier.health) == (("127.0.0.1", 9100), ("127.0.0.1", 9101))
    assert "TONGDAI_RUNTIME_SESSION_TIMEOUT_MS" not in routing.environment


def test_an_ingress_reads_the_demos_apps_from_its_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps = invent_apps()
    for name, value in ingress_variables(apps, rate_per_s=2_000).items():
        monkeypatch.setenv(name, value)
    read = load_settings(tmp_path / ".env").ingress
    assert read.messenger_apps == apps.messenger_apps
    assert read.zalo_apps == apps.zalo_apps
    assert read.rate_burst >= read.rate_per_s >= 8_000
    assert read.page_rate_burst >= read.page_rate_per_s >= 8_000
    assert invent_apps() != apps
    assert orjson.loads(ingress_variables(apps, 50)["TONGDAI_INGRESS_ZALO_APPS"])[0]["app_id"] == "demo"


async def test_who_is_held_back_is_neither_waited_for_nor_started_before_its_time() -> None:
    lines: list[str] = []
    duty = Duty("late", ("worker", "late"), {}, ("127.0.0.1", 9))  # nobody answers there
    crew = Crew([duty], lines.append, lines.append, stop_deadline_s=DEADLINE_S)
    crew.start(later=("late",))
    async with asyncio.timeout(DEADLINE_S):
        await crew.ready(DEADLINE_S)
    assert crew.members[0].pid is None
    await crew.stop(asyncio.Event())
    assert not lines
