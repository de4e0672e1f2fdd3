"""Progress of a download: a bar for a person at a terminal, a line at its start and end for a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class FetchProgress:
    """Shows on standard error how many jars have come and which is coming.

    Args:
        title: what is fetched.
        jars: how many there will be.
    """

    def __init__(self, title: str, *, jars: int) -> None:
        self._title = title
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[coming]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=jars, coming="")

    def __enter__(self) -> Self:
        if not self._console.is_terminal:
            self._console.print(f"{self._title} …")
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if error is None:
            self._console.print(f"{self._title}: done.")

    @contextmanager
    def file(self, name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        """One file's download; yields a function that takes the number of bytes as they come.

        Beside the jars come their descriptions (POMs), which say what else is needed: shown, not counted.
        """
        got_bytes = 0

        def advance(count: int) -> None:
            nonlocal got_bytes
            got_bytes += count
            self._bar.update(self._task, coming=f"{name} {got_bytes / size_bytes:.0%}")

        yield advance
        self._bar.advance(self._task, 1 if name.endswith(".jar") else 0)
