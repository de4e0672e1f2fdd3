"""`tongdai accounts`: passwords come from stdin, never from an argument; mistakes are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
import orjson
import pytest
from typer.testing import CliRunner, Result

from config.errors import TongdaiError
from workers.cli.accounts_command import app
from workers.gateway.service_tokens import read_service_token, scopes_of

Run = Callable[..., Result]


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TONGDAI_POSTGRES_DSN", database)

    def run(*arguments: str, said: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=said)

    return run


def test_accounts_are_added_listed_disabled_and_given_tokens(run: Run, database: str) -> None:
    added = run("add", "shop", " Lan@Example.com ", "--agent", "lan", said="a long password\n")
    assert (added.exit_code, "a long password" in added.output) == (0, False), added.output
    again = run("add", "shop", "lan@example.com", "--agent", "lan", said="a long password\n")
    assert isinstance(again.exception, TongdaiError)
    assert "There is an account" in str(again.exception)
    short = run("passwd", "shop", "lan@example.com", said="short\n")
    assert "10 to 256 characters" in str(short.exception)
    assert run("passwd", "shop", "lan@example.com", said="another long one\n").exit_code == 0
    assert run("disable", "shop", "lan@example.com").exit_code == 0
    listed = orjson.loads(run("list", "shop", "--json").stdout)
    assert listed == [{"login": "lan@example.com", "role": "agent", "agent": "lan", "active": False}]
    assert "no account nobody" in str(run("disable", "shop", "nobody").exception)

    token = run("token", "shop", "crm", "--scope", "messages").stdout.strip()
    assert _scopes(database, token) == frozenset({"messages"})
    assert run("token", "shop", "crm", "--revoke").exit_code == 0
    assert _scopes(database, token) is None

    allowed = run("network", "shop", "--allow", "203.0.113.0/24", "--note", "office", "--json")
    assert orjson.loads(allowed.stdout) == [{"network": "203.0.113.0/24", "note": "office"}]


def _scopes(database: str, text: str) -> frozenset[str] | None:
    async def read() -> frozenset[str] | None:
        connection = await asyncpg.connect(database)
        token = read_service_token(text)
        assert token is not None
        try:
            return await scopes_of(connection, token)
        finally:
            await connection.close()

    return asyncio.run(read())
