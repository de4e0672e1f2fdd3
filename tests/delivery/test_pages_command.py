"""`tongdai pages`: tokens are named, never written out, and nothing of them is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from config.errors import ExitCode
from tests.delivery.ground import KEY
from workers.channels.delivery.vault import Vault
from workers.cli.main import run

pytestmark = pytest.mark.servers
APPS = {
    "TONGDAI_INGRESS_MESSENGER_APPS": '[{"name": "main", "app_secret": "a", "verify_token": "v"}]',
    "TONGDAI_INGRESS_ZALO_APPS": '[{"app_id": "77", "secret_key": "z"}]',
}
Pages = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pages(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Pages:
    """Call the command in a workspace with two pages; gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONGDAI_POSTGRES_DSN", database)
    monkeypatch.setenv("TONGDAI_DELIVERY_KEYS", KEY)
    monkeypatch.setenv("PAGE_TOKEN", "EAAB-the-token")
    _execute(
        database,
        "INSERT INTO page_registry VALUES ('messenger:1', 'acme', 'main'), ('web:1', 'acme', 'main')",
    )

    def call(*args: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exited:
            run(["pages", *args])
        printed = capsys.readouterr()
        assert "EAAB" not in printed.out + printed.err
        return int(exited.value.code or 0), printed.out, printed.err

    return call


def _execute(dsn: str, statement: str) -> list[asyncpg.Record]:
    async def execute() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    return asyncio.run(execute())


def test_a_page_is_connected_set_and_listed(pages: Pages, database: str) -> None:
    assert pages("connect", "messenger:1", "--token", "env:PAGE_TOKEN", "--life-s", "3600")[0] == 0
    assert pages("set", "messenger:1", "--human-agent", "--too-long", "refuse")[0] == 0
    code, out, _ = pages("list", "--json")
    (page,) = json.loads(out)
    assert (code, page["page"], page["paused"], page["human_agent"], page["too_long"], page["pays"]) == (
        0,
        "messenger:1",
        None,
        True,
        "refuse",
        False,
    )
    (row,) = _execute(database, "SELECT access_token FROM delivery_page")
    assert b"EAAB" not in row["access_token"]
    assert Vault([KEY]).open(row["access_token"]) == "EAAB-the-token"


ANSWERED = """
INSERT INTO delivery (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, parts, state, changed_at)
SELECT 'acme', gen_random_uuid(), 'main', 0, gen_random_uuid(), page || ':an', page, 1, 'agent:acme/lan', 1,
    'queued', now() - age FROM (VALUES {}) AS answer (page, age)
"""


def test_who_sends_nothing_is_told_with_the_time_since_when(pages: Pages, database: str) -> None:
    _execute(database, "INSERT INTO page_registry SELECT unnest(ARRAY['viber:1', 'viber:2']), 'acme', 'main'")
    waits = "('viber:1', interval '1 hour'), ('viber:1', interval '1 s'), ('viber:2', interval '1 s')"
    _execute(database, ANSWERED.format(waits))
    found = {page["page"]: page for page in json.loads(pages("list", "--json")[1])}
    assert {name: (page["paused"], page["waiting"]) for name, page in found.items()} == {
        "messenger:1": ("not_connected", 0),
        "viber:1": (None, 2),
        "viber:2": (None, 1),
    }
    assert [bool(found[name]["silent_since"]) for name in sorted(found)] == [False, True, False]
    assert pages("connect", "messenger:1", "--token", "env:PAGE_TOKEN")[0] == 0
    broken = "UPDATE delivery_page SET paused = 'token_broken', paused_at = '2026-11-23T08:00:00Z'"
    _execute(database, broken)
    lines = [line.split() for line in pages("list", "acme")[1].splitlines() if ":" in line]
    assert [line[2] for line in lines] == ["token_broken", "silent", "carried"]
    assert lines[0][3].startswith("2026-11-23T08:00:00")
    assert pages("list", "other", "--json")[1].strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("connect", "messenger:1", "--token", "EAAB-the-token"), "env:NAME or file:PATH"),
        (("connect", "messenger:1", "--token", "env:MISSING"), "MISSING"),
        (("connect", "messenger:2", "--token", "env:PAGE_TOKEN"), "no workspace has the page messenger:2"),
        (("connect", "web:1", "--token", "env:PAGE_TOKEN"), "messenger, zalo, fchat only"),
        (
            ("connect", "messenger:1", "--token", "env:PAGE_TOKEN", "--app", "mian"),
            "has no app mian: it has main",
        ),
        (("connect", "zalo:1", "--token", "env:PAGE_TOKEN", "--app", "1"), "has no app 1: it has 77"),
        (
            ("connect", "zalo:1", "--token", "env:PAGE_TOKEN", "--refresh-token", "env:PAGE_TOKEN"),
            "with --app",
        ),
        (("connect", "fchat:1", "--token", "env:PAGE_TOKEN", "--app", "main"), "fchat has no apps"),
        (("connect", "zalo:1", "--token", "env:PASTED"), "characters that no token has"),
        (("connect", "fchat:1", "--token", "env:BROKEN"), "characters that no token has"),
        (("set", "messenger:1", "--pays"), "is not connected"),
    ],
)
def test_what_is_wrong_is_said(
    pages: Pages, arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, apps in APPS.items():
        monkeypatch.setenv(name, apps)
    monkeypatch.setenv("PASTED", "the-token…")
    monkeypatch.setenv("BROKEN", "the-\ntoken")
    code, _, err = pages(*arguments)
    assert code == ExitCode.USAGE
    assert said in err


def test_where_no_app_is_set_it_is_said_that_nobody_has_looked(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("connect", "messenger:1", "--token", "env:PAGE_TOKEN", "--app", "main")
    code, _, err = pages(*arguments)
    assert (code, "TONGDAI_INGRESS_MESSENGER_APPS is not set here" in err) == (0, True)
    monkeypatch.setenv("TONGDAI_INGRESS_MESSENGER_APPS", APPS["TONGDAI_INGRESS_MESSENGER_APPS"])
    code, _, err = pages(*arguments)
    assert (code, err) == (0, "")


def test_a_page_that_no_desk_has_is_given_up_with_its_secrets(pages: Pages, database: str) -> None:
    used = "INSERT INTO desk_page VALUES ('acme', 'main', 'messenger:1', '{}', 1, true)"
    _execute(database, used)
    assert pages("connect", "messenger:1", "--token", "env:PAGE_TOKEN")[0] == 0
    code, _, err = pages("release", "messenger:1", "--yes")
    assert (code, "take it out of the workspace file" in err) == (ExitCode.USAGE, True)
    _execute(database, "UPDATE desk_page SET active = false")
    code, out, err = pages("release", "messenger:1")
    assert (code, "say --yes" in err) == (ExitCode.USAGE, True)
    assert "any workspace can have it" in out
    assert pages("release", "messenger:1", "--yes")[0] == 0
    assert _execute(database, "SELECT FROM delivery_page UNION ALL SELECT FROM desk_page WHERE active") == []
    assert [page for (page,) in _execute(database, "SELECT page_id FROM page_registry")] == ["web:1"]
    assert "no workspace has the page" in pages("release", "messenger:1", "--yes")[2]
