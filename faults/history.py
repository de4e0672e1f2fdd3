"""What happened in a run, as JSON lines that are flushed at once: one file for each kind of actor."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Self

import orjson


class History:
    """An append-only file. Every line says when, in seconds since the run began."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        self._began = time.monotonic()
        self.lines: list[dict[str, object]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, what: str, **fields: object) -> None:
        """Write one line."""
        line = {"at_s": round(time.monotonic() - self._began, 2), "what": what, **fields}
        self.lines.append(line)
        self._file.write(orjson.dumps(line) + b"\n")
        self._file.flush()
