"""A gateway may open as many sockets as its settings say, as far as the system lets it."""

from __future__ import annotations

import resource

import pytest

from workers.gateway.open_files import BESIDE_SOCKETS, allow_sockets


@pytest.mark.parametrize(
    ("soft", "hard", "becomes"),
    [
        (1_024, 1_000_000, 12_000 + BESIDE_SOCKETS),
        (1_024, 4_096, 4_096),
        (1_024, resource.RLIM_INFINITY, 12_000 + BESIDE_SOCKETS),
        (50_000, 50_000, None),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None),
    ],
)
def test_the_limit_of_open_files_is_raised_and_never_lowered(
    soft: int, hard: int, becomes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: told.append(limits))

    allow_sockets(12_000)

    assert told == ([] if becomes is None else [(becomes, hard)])
