"""What a machine lacks for some faults is said before anything is done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faults import means


def test_clocks_need_a_library_and_small_disks_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(means, "libfaketime", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)

    assert means.missing(["kill_routing", "storm"]) == []
    [clocks] = means.missing(["jump_clocks"])
    [disks] = means.missing(["storm", "fill_kafka_disk"])
    assert "apt-get install libfaketime" in clocks
    assert "root" in disks


@pytest.mark.parametrize("folder", ["faketime", "x86_64-linux-gnu/faketime"])
def test_the_library_is_found_where_systems_put_it(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(means, "PLACES", (tmp_path / "nothing", tmp_path))
    assert means.libfaketime() is None
    library = tmp_path / folder / "libfaketimeMT.so.1"
    library.parent.mkdir(parents=True)
    library.touch()
    assert means.libfaketime() == library
