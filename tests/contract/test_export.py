"""The files in docs/contract are what the models say, and `tongdai schema export` sees when they are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.errors import UsageError
from tests.contract.folder import FOLDER
from workers.cli.main import app
from workers.contract.files import differences, write
from workers.contract.release import RELEASE, record_release


def test_docs_are_not_stale() -> None:
    assert differences(FOLDER) == [], "write them with: tongdai schema export"


def test_the_release_is_recorded() -> None:
    assert (FOLDER / "released" / RELEASE).is_dir(), "record it with: tongdai schema export --release"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh export."""
    write(tmp_path)
    return tmp_path


def test_a_fresh_export_has_no_differences(folder: Path) -> None:
    assert differences(folder) == []
    assert write(folder) == []


def test_stale_missing_and_superfluous_files_are_told_and_mended(folder: Path) -> None:
    (folder / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n", encoding="utf-8")
    (folder / "schemas" / "commands.route.v1.json").unlink()
    (folder / "examples" / "commands.gone.v1.json").write_text("{}", encoding="utf-8")
    expected = {
        ("asyncapi.yaml", "stale"),
        ("schemas/commands.route.v1.json", "missing"),
        ("examples/commands.gone.v1.json", "of no record"),
    }
    assert set(map(tuple, differences(folder))) == expected
    assert set(map(tuple, write(folder))) == expected
    assert differences(folder) == []


def test_check_writes_nothing_and_exits_with_1(folder: Path) -> None:
    stale = folder / "asyncapi.yaml"
    stale.write_text("asyncapi: 3.0.0\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["schema", "export", "--out", str(folder), "--check", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["differences"] == [{"path": "asyncapi.yaml", "what": "stale"}]
    assert stale.read_text(encoding="utf-8") == "asyncapi: 3.0.0\n"


def test_export_writes_and_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["schema", "export", "--out", str(tmp_path / "new")])
    assert result.exit_code == 0
    assert "missing:" in result.stdout
    again = CliRunner().invoke(app, ["schema", "export", "--out", str(tmp_path / "new"), "--check"])
    assert (again.exit_code, again.stdout) == (0, f"{tmp_path / 'new'} is what the models say\n")


def test_a_release_is_recorded_once(folder: Path) -> None:
    released = record_release(folder)
    assert (released / "schemas" / "inbound.message.v1.json").is_file()
    with pytest.raises(UsageError, match="never changes"):
        record_release(folder)
    assert differences(folder) == []
