"""`tongdai webhooks`: the same as through the gateway, for who runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
import orjson
import pytest
from typer.testing import CliRunner, Result

from config.errors import ConfigurationError, TongdaiError, UsageError
from config.settings import Settings
from workers.cli import webhooks_command
from workers.cli.webhooks_command import app
from workers.webhooks.process import run_webhooks

Run = Callable[..., Result]


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("TONGDAI_POSTGRES_DSN", database)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_endpoints_are_added_listed_changed_and_removed(run: Run, database: str, tmp_path: Path) -> None:
    added = run(
        "add", "shop", "crm", "https://hooks.example.com/x", "--event", "assignments", "--event", "roster"
    )
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("whsec_")
    assert (tmp_path / ".tongdai" / "webhooks.key").exists()  # the local profile's own
    (listed,) = orjson.loads(run("list", "shop", "--json").stdout)
    assert (listed["id"], listed["events"], listed["state"]) == ("crm", ["assignments", "roster"], "active")
    assert orjson.loads(run("list", "other", "--json").stdout) == []
    assert run("pause", "shop", "crm").exit_code == 0
    assert "by cli" in run("list", "shop").stdout
    assert run("replay", "shop", "crm", "--from", '{"roster": {"0": 3}}').exit_code == 0
    rotated = run("rotate", "shop", "crm").stdout
    assert rotated.startswith("whsec_")
    assert rotated != added.stdout
    assert run("resume", "shop", "crm").exit_code == 0
    asyncio.run(_attempt(database))
    (attempt,) = orjson.loads(run("attempts", "shop", "crm", "--json").stdout)
    assert (attempt["status"], attempt["offset"]) == (500, 7)
    assert "roster/1/7" in run("attempts", "shop", "crm").stdout
    assert run("remove", "shop", "crm").exit_code == 0
    assert isinstance(run("remove", "shop", "crm").exception, TongdaiError)


def test_what_makes_no_sense_is_told(run: Run) -> None:
    for arguments, says in (
        (("add", "shop", "CRM", "https://hooks.example.com"), "id will not do"),
        (("add", "shop", "crm", "https://hooks.example.com", "--from", "soon"), "from will not do"),
        (("replay", "shop", "crm", "--from", "{x"), "no JSON"),
    ):
        refused = run(*arguments).exception
        assert isinstance(refused, UsageError), arguments
        assert says in str(refused)
    refused = run("add", "shop", "crm", "https://127.0.0.1/").exception
    assert "no public address" in str(refused)
    assert "There is no event calls" in str(
        run("add", "shop", "a", "https://a.example", "--event", "calls").exception
    )


def test_a_test_that_no_worker_sends_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks_command, "TEST_DEADLINE_S", 0.1)
    run("add", "shop", "crm", "https://hooks.example.com/x")
    assert "does tongdai worker webhooks run?" in str(run("test", "shop", "crm").exception)


def test_production_does_not_start_without_a_signing_key() -> None:
    with pytest.raises(ConfigurationError, match="TONGDAI_WEBHOOKS_SIGNING_KEYS is not set"):
        run_webhooks(Settings.model_validate({"profile": "production"}))


async def _attempt(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "INSERT INTO webhook_attempt (workspace_id, endpoint_id, at, event_id, event_type, topic, partition, "
        "record, status, error, took_ms) "
        "VALUES ('shop', 'crm', now(), 'e', 't', 'roster', 1, 7, 500, 'refused', 3)"
    )
    await connection.close()
