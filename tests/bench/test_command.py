"""`tongdai bench` as people type it."""

from __future__ import annotations

import pytest

from config.errors import ExitCode
from workers.cli.main import run


def test_an_unknown_contestant_is_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["bench", "throughput", "--only", "nobody"])

    assert ended.value.code == ExitCode.USAGE
    assert "nobody: there are bare, ours, ours_twice, streams, faststream" in capsys.readouterr().err
