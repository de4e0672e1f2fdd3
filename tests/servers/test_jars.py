"""Jars: only the locked ones are used, and the network only for what the cache lacks."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import jgo
import pytest

from workers.local import jars
from workers.local.errors import LocalServerError


@pytest.fixture
def two(tmp_path: Path) -> jars.JarSet:
    """A lock of two jars, and beside it a folder that holds them."""
    lines = ["# two jars"]
    (tmp_path / "jars").mkdir()
    for name in ("one-1.0.jar", "two-2.0.jar"):
        (tmp_path / "jars" / name).write_bytes(name.encode())
        lines.append(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}")
    lock = tmp_path / "jars.lock"
    lock.write_text("\n".join(lines))
    return replace(jars.KAFKA, lock_file=lock)


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetching fails as it does without a network, and the cache is this test's own."""

    def build(*_: object, **__: object) -> NoReturn:
        raise OSError("Network is unreachable")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(jgo, "build", build)


@pytest.mark.usefixtures("no_network")
def test_a_whole_cache_needs_no_network(two: jars.JarSet, tmp_path: Path) -> None:
    found = jars.verified_jars(two, tmp_path / "jars")
    assert [jar.name for jar in found] == ["one-1.0.jar", "two-2.0.jar"]


def test_a_wrong_jar_is_named(two: jars.JarSet, tmp_path: Path) -> None:
    (tmp_path / "jars" / "two-2.0.jar").write_bytes(b"something else")
    with pytest.raises(
        LocalServerError, match=r"two-2\.0\.jar is not the jar .* expected .*jars/two-2\.0\.jar"
    ):
        jars.verified_jars(two, tmp_path / "jars")


@pytest.mark.usefixtures("no_network")
def test_without_a_network_a_person_is_told_what_to_do(two: jars.JarSet, tmp_path: Path) -> None:
    (tmp_path / "jars" / "two-2.0.jar").unlink()
    with pytest.raises(LocalServerError, match=r"Network is unreachable.*TONGDAI_KAFKA_BOOTSTRAP_SERVERS"):
        jars.verified_jars(two, tmp_path / "jars")


def test_a_jar_that_nobody_delivers_is_named(
    two: jars.JarSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered = tmp_path / "jars" / "one-1.0.jar"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(jars, "_build", lambda *_: [delivered])
    with pytest.raises(LocalServerError, match=r"two-2\.0\.jar is not among"):
        jars.verified_jars(two, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_lock_holds_kafka_itself() -> None:
    locked = jars.read_lock(jars.KAFKA.lock_file)
    assert f"kafka_2.13-{jars.KAFKA_VERSION}.jar" in locked
    assert all(len(digest) == 64 for digest in locked.values())
