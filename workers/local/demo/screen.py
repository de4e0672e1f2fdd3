"""Where the demo speaks: a picture that is drawn anew on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from workers.local.demo.view import Picture, progress_line

FRAME_S = 0.25
LINE_INTERVAL_S = 10.0


class Screen:
    """Standard output."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._picture: Picture | None = None
        self._live: Live | None = None

    def say(self, line: str) -> None:
        """Print a line; above the picture when there is one."""
        self._console.print(line, markup=False, soft_wrap=True)

    @contextmanager
    def showing(self, picture: Picture) -> Iterator[None]:
        """Show the picture inside the block, as `keep_drawing` draws it; its last state stays."""
        self._picture = picture
        if not self._console.is_terminal:
            yield
            return
        with Live(picture, console=self._console, auto_refresh=False, vertical_overflow="crop") as self._live:
            try:
                yield
            finally:
                self._live.refresh()
        self._live = None

    async def keep_drawing(self) -> None:
        """Draw, without end: to be run beside the demo."""
        while True:
            await asyncio.sleep(FRAME_S if self._live else LINE_INTERVAL_S)
            if self._live is not None:
                self._live.refresh()
            elif self._picture is not None:
                self.say(progress_line(self._picture))
