"""The command line: what it prints, what it exits with, and that help stays quick."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import DependencyError, ExitCode, FencedError, TongdaiError
from config.settings import Settings
from workers.cli.exits import expected_error
from workers.cli.main import COMMANDS, run


@pytest.fixture(autouse=True)
def _in_an_empty_folder(env_file: Path) -> None:
    """No `.env` of the machine has a say."""


def _exit_code(*args: str) -> int:
    with pytest.raises(SystemExit) as exited:
        run(args)
    assert isinstance(exited.value.code, int)
    return exited.value.code


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(name, "--help") == ExitCode.OK
    assert f"tongdai {name}" in capsys.readouterr().out


def test_help_loads_no_command() -> None:
    program = (
        "import sys\nfrom workers.cli.main import run\n"
        "try: run(['--help'])\nfinally: print(sorted(sys.modules))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert "topics" in done.stdout
    assert not {"aiokafka", "asyncpg", "pydantic"} & set(done.stdout.splitlines()[-1].split("'"))


def test_a_mistyped_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("topcs") == ExitCode.USAGE
    assert "Did you mean 'topics'?" in capsys.readouterr().err


def test_config_show_for_scripts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGDAI_POSTGRES_DSN", "postgresql://u:hunter2@h/d")
    assert _exit_code("config", "show", "--json") == ExitCode.OK
    out = capsys.readouterr().out
    shown = json.loads(out)
    assert shown["settings"]["TONGDAI_POSTGRES_DSN"] == {
        "value": "postgresql://u:**********@h/d",
        "source": "environment",
    }
    assert any("TONGDAI_KAFKA_REPLICATION_FACTOR" in warning for warning in shown["warnings"])


def test_config_show_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("config", "show") == ExitCode.OK
    captured = capsys.readouterr()
    assert "TONGDAI_KAFKA_BOOTSTRAP_SERVERS" in captured.out
    assert "warning: TONGDAI_KAFKA_REPLICATION_FACTOR" in captured.err


def test_wrong_settings_exit_with_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONGDAI_LOG_LEVEL", "loud")
    assert _exit_code("config", "show") == ExitCode.CONFIGURATION
    assert "TONGDAI_LOG_LEVEL: " in capsys.readouterr().err


def test_topics_are_listed_as_a_table_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("topics", "list", "--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)[0]["name"] == "tongdai.inbound.v1"
    assert _exit_code("topics", "list") == ExitCode.OK
    assert "for ever" in capsys.readouterr().out


@pytest.mark.servers
def test_topics_are_created_once_and_differences_are_told(
    kafka_settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONGDAI_KAFKA_BOOTSTRAP_SERVERS", kafka_settings.kafka.bootstrap_servers)
    monkeypatch.setenv("TONGDAI_KAFKA_TOPIC_PREFIX", kafka_settings.kafka.topic_prefix)
    assert _exit_code("topics", "apply", "--dry-run") == ExitCode.OK
    assert "would create 11, unchanged 0" in capsys.readouterr().out
    assert _exit_code("topics", "apply") == ExitCode.OK
    assert "created 11, unchanged 0" in capsys.readouterr().out
    monkeypatch.setenv("TONGDAI_KAFKA_DESK_PARTITIONS", "7")
    assert _exit_code("topics", "apply", "--json") == ExitCode.FAILED
    report = json.loads(capsys.readouterr().out)
    assert report["usable"] is False
    assert len(report["differences"]) == 4


def test_no_kafka_exits_with_5(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGDAI_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert _exit_code("topics", "apply") == ExitCode.DEPENDENCY
    assert "127.0.0.1:1 cannot be reached" in capsys.readouterr().err


def test_which_errors_are_expected() -> None:
    group = ExceptionGroup("", [FencedError("f"), ExceptionGroup("", [DependencyError("d")])])
    assert str(expected_error(group)) == "d"
    assert expected_error(ExceptionGroup("", [TongdaiError("x"), ZeroDivisionError()])) is None
    assert expected_error(ValueError()) is None
    assert expected_error(BrokenPipeError()) is None
    refused = expected_error(ConnectionRefusedError("refused"))
    assert refused is not None
    assert refused.exit_code is ExitCode.DEPENDENCY


def test_an_unforeseen_error_shows_its_traceback_and_not_what_it_was_raised_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "what a customer wrote"

    def start() -> None:
        raise KeyError(words)

    monkeypatch.setattr("workers.cli.config_command.start_tool", start)
    with pytest.raises(SystemExit) as exit_:
        run(["config", "show"])
    shown = capsys.readouterr().err
    assert exit_.value.code == ExitCode.FAILED
    assert "in start\n" in shown
    assert shown.endswith("\nKeyError\n")
    assert words not in shown
