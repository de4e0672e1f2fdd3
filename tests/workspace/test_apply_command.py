"""`tongdai apply` as a person or a script calls it: what it prints, and its exit codes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from config.settings import Settings
from config.topics_apply import apply_topics
from workers.cli.main import run

SAMPLE = Path(__file__).parents[2] / "workers" / "local" / "sample.yaml"


def _run(*args: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["apply", *args])
    return int(ended.value.code or 0)


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings of this test as variables, in a folder without a `.env`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONGDAI_KAFKA_BOOTSTRAP_SERVERS", settings.kafka.bootstrap_servers)
    monkeypatch.setenv("TONGDAI_KAFKA_TOPIC_PREFIX", settings.kafka.topic_prefix)
    monkeypatch.setenv("TONGDAI_POSTGRES_DSN", settings.postgres.dsn.get_secret_value())
    return settings


def test_mistakes_end_with_3_and_are_told_with_their_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mistaken.yaml"
    path.write_text("workspace: hoa-sen\nagents: [{id: lan, nam: Lan}]\n", encoding="utf-8")
    assert _run(str(path)) == 3
    told = capsys.readouterr().err
    assert f"{path}:2:20: 'nam' is no field of an agent: did you mean name?" in told
    assert f"{path} has 2 mistakes, nothing was changed:" in told


def test_without_a_file_it_is_used_wrongly() -> None:
    assert _run() == 2


@pytest.mark.servers
def test_dry_run_shows_what_would_change_and_changes_nothing(
    environment: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    del environment
    for _ in range(2):
        assert _run(str(SAMPLE), "--dry-run") == 0
        told = capsys.readouterr().out.splitlines()
        assert told[0] == (
            "workspace hoa-sen, desk main: 12 agents added, 2 departments added, 5 pages added, "
            "6 rules added, 1 policy changed"
        )
        assert "  + agent lan (Nguyễn Thị Lan)" in told
        assert "  + page messenger:104857600012345 (Hoa Sen Sài Gòn)" in told


@pytest.mark.servers
def test_where_nobody_can_be_asked_changing_needs_yes(
    environment: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    del environment
    assert _run(str(SAMPLE), "--json") == 2
    assert "say --yes to apply" in capsys.readouterr().err


@pytest.mark.servers
def test_without_a_worker_it_ends_with_5_and_says_that_it_will_take_effect(
    environment: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(apply_topics(environment))
    assert _run(str(SAMPLE), "--yes", "--json", "--timeout", "0.5") == 5
    told = capsys.readouterr()
    assert "will still take effect" in told.err
    (desk,) = json.loads(told.out)["desks"]
    assert desk["counts"]["agent"] == {"added": 12}
    assert desk["outcome"]["state"] == "unknown"
    assert desk["outcome"]["command_at"]["topic"] == f"{environment.kafka.topic_prefix}.commands.v1"
