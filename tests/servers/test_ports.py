"""Ports that local servers are told to listen on."""

from __future__ import annotations

import pytest

from workers.local import ports


def test_who_asks_twice_before_listening_is_told_two_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_first_ephemeral_port", lambda: ports.LOWEST_PORT + 21)
    asked = [ports.free_port() for _ in range(10)]
    assert len(set(asked)) == len(asked)
