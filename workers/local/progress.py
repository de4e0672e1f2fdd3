"""Progress of a download: a bar for a person at a terminal, a line per stage for a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn


class FetchProgress:
    """Shows how many of `files` are there, and the bytes of the one being fetched; on standard error.

    Args:
        title: what is fetched.
        files: how many files there are at most.
    """

    def __init__(self, title: str, *, files: int) -> None:
        self._console = Console(stderr=True)
        self._title = title
        self._files = files
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal)

    def __enter__(self) -> Self:
        if not self._console.is_terminal:
            self._console.print(f"{self._title} …")
        self._bar.start()
        self._whole = self._bar.add_task(self._title, total=None)
        self._done = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if error is None:
            self._console.print(f"{self._title}: done.")

    @contextmanager
    def file(self, name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        """One file's download; yields a function that takes the bytes as they come."""
        task = self._bar.add_task(f"  {name}", total=size_bytes)
        yield lambda count: self._bar.advance(task, count)
        self._bar.remove_task(task)
        self._done += 1
        self._bar.update(self._whole, description=f"{self._title} ({self._done} of {self._files})")
