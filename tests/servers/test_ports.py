"""Ports that local servers are told to listen on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from workers.local import ports

OTHER = """
import sys
from workers.local import ports

ports._first_ephemeral_port = lambda: ports.LOWEST_PORT + 61
print(*[ports.free_port() for _ in range(25)], flush=True)
sys.stdin.read()
"""


def test_who_asks_twice_before_listening_is_told_two_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_first_ephemeral_port", lambda: ports.LOWEST_PORT + 21)
    asked = [ports.free_port() for _ in range(10)]
    assert len(set(asked)) == len(asked)


def test_two_processes_that_ask_before_they_listen_are_told_different_ports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ports, "_first_ephemeral_port", lambda: ports.LOWEST_PORT + 61)
    command = [sys.executable, "-c", OTHER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        theirs = {int(port) for port in other.stdout.readline().split()}
        ours = {ports.free_port() for _ in range(10)}
        other.communicate()
    assert len(theirs) == 25
    assert not theirs & ours
