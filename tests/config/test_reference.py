"""Secrets may stand in another variable or in a file; a reference to nothing is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.reference import MAX_SECRET_BYTES
from tests.config.loading import Load, Refuse


def test_a_secret_from_another_variable(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:b@c/d")
    assert load(POSTGRES_DSN="env:DATABASE_URL").postgres.dsn.get_secret_value() == "postgresql://a:b@c/d"


def test_a_secret_from_another_variable_of_the_file(load: Load, env_file: Path) -> None:
    env_file.write_text("DATABASE_URL=postgresql://a:b@c/d\nTONGDAI_POSTGRES_DSN=env:DATABASE_URL\n")
    assert load().postgres.dsn.get_secret_value() == "postgresql://a:b@c/d"


def test_a_secret_from_a_file(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "dsn"
    file.write_text("postgresql://a:b@c/d\n")
    assert load(POSTGRES_DSN=f"file:{file}").postgres.dsn.get_secret_value() == "postgresql://a:b@c/d"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        (b"", "empty"),
        (b"\xff", "UTF-8"),
        (b"x" * (MAX_SECRET_BYTES + 1), "larger than"),
    ],
)
def test_a_file_without_a_secret(refuse: Refuse, tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    text = refuse(POSTGRES_DSN=f"file:{file}")["TONGDAI_POSTGRES_DSN"]
    assert says in text
    assert str(file) in text


def test_a_variable_that_is_not_set(refuse: Refuse) -> None:
    assert (
        "'NOT_SET_AT_ALL', which is not set"
        in refuse(POSTGRES_DSN="env:NOT_SET_AT_ALL")["TONGDAI_POSTGRES_DSN"]
    )
