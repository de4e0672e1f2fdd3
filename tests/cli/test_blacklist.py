"""`tongdai blacklist`: the same list as the gateway's, by the same rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.errors import ExitCode
from tests.databases import on
from workers.cli import blacklist_command
from workers.cli.main import run

pytestmark = pytest.mark.servers


@pytest.fixture
async def blacklist(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace with a website and a page elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONGDAI_POSTGRES_DSN", database)
    pages = "INSERT INTO page_registry VALUES ('messenger:1', 'acme', 'main'), ('web:1', 'acme', 'main')"
    await on(database, lambda one: one.execute(pages))


@pytest.mark.usefixtures("blacklist")
def test_addresses_are_kept_out_shown_and_let_in_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blacklist_command, "PART_MAX", 1)  # each part has one, so that there are several

    def call(*args: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exited:
            run(["blacklist", *args])
        printed = capsys.readouterr()
        return int(exited.value.code or 0), printed.out, printed.err

    assert call("add", "web:1", "203.0.113.7", "--days", "7", "--reason", "spam")[0] == 0
    assert call("add", "web:1", "2001:db8::1")[0] == 0
    listed = json.loads(call("list", "web:1", "--json")[1])
    assert [(one["address"], one["reason"]) for one in listed] == [
        ("2001:db8::/64", None),
        ("203.0.113.7/32", "spam"),
    ]
    assert (listed[0]["until"], listed[1]["until"] is None) == (None, False)
    assert listed[0]["by"].startswith("cli:")
    assert call("remove", "web:1", listed[0]["id"])[0] == 0
    assert listed[0]["id"] not in call("list", "web:1")[1]
    for wrong, said in (
        (("remove", "web:1", listed[0]["id"]), "by that id"),
        (("add", "messenger:1", "203.0.113.7"), "websites"),
        (("add", "web:1", "203.0.0.0/8"), "too many at once"),
        (("add", "web:1", "nowhere"), "nowhere"),
        (("add", "web:1", "203.0.113.9", "--days", "8"), "days are 7, 30"),
        (("add", "web:1", "203.0.113.9", "--reason", "dislike"), "reasons spam"),
        (("list", "web:2"), "no workspace"),
    ):
        code, _, complaint = call(*wrong)
        assert (code, said in complaint) == (ExitCode.USAGE, True), (wrong, complaint)
