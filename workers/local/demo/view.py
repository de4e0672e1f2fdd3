"""What a person sees of the demo: counters, a bar per agent, lag and latencies, drawn anew as they change."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rich import box
from rich.columns import Columns
from rich.console import Console, ConsoleOptions, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from config.topics import ASSIGNMENTS, DEADLETTER, INBOUND, MESSAGES, NOTIFICATIONS
from workers.local.demo.tally import Tally
from workers.local.simulator.ledger import Ledger
from workers.local.simulator.visitors.ledger import VisitorLedger

BAR_CELLS = 24
NUMBER_CELLS = 10
LAG_CALM = 1_000
"""More records that wait are worth a look."""
_COUNTED = {
    "messages in": INBOUND.name,
    "stored": MESSAGES.name,
    "assigned": ASSIGNMENTS.name,
    "notified": NOTIFICATIONS.name,
    "deadletter": DEADLETTER.name,
}
_ACTS = ("claims", "claims lost", "transfers", "answers")


@dataclass
class Picture:
    """All that is shown; rich asks for its lines each time it draws.

    Attributes:
        headline: what goes on and how it is stopped.
        tally: what has been seen on the topics.
        ledger: what the simulator has posted.
        visitors: who is on the website.
        online: the simulated agents who are connected.
        agents: names by ids.
        lags: records that wait, by group.
    """

    headline: str
    tally: Tally
    ledger: Ledger
    visitors: VisitorLedger
    agents: Mapping[str, str]
    online: Collection[str] = ()
    lags: Mapping[str, int] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> int:
        """Whole seconds since the picture was first shown."""
        return int(time.monotonic() - self.began)

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> RenderResult:
        title = Text(f"Tổng đài · {self.seconds // 60:02}:{self.seconds % 60:02}", style="bold")
        columns = Columns([self._counters(), self._bars()], padding=(0, 3))
        yield Panel(columns, title=title, subtitle=Text(self.headline), box=box.ROUNDED, expand=False)

    def _counters(self) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right", min_width=NUMBER_CELLS)  # so that nothing moves as numbers grow
        table.add_row("posted", f"{self.ledger.count_posted():,}")
        for label, topic in _COUNTED.items():
            table.add_row(label, Text(f"{self.tally.counts[topic]:,}", style="bold"))
        table.add_row()
        for channel, count in sorted(self.tally.channels.items()):
            table.add_row(channel, f"{count:,}")
        table.add_row("visitors online", f"{self.visitors.online:,}")
        table.add_row()
        table.add_row("agents online", f"{len(self.online):,}")
        for name in _ACTS:
            table.add_row(name, Text(f"{self.tally.counts[name]:,}", style="bold"))
        table.add_row()
        for group, lag in self.lags.items():
            table.add_row(f"lag {group}", Text(f"{lag:,}", style="yellow" if lag > LAG_CALM else "green"))
        table.add_row()
        for name, latency_ms in self.tally.latencies.summary().items():
            table.add_row(f"latency {name}", "–" if latency_ms is None else f"{latency_ms:,} ms")
        return table

    def _bars(self) -> Table:
        table = Table.grid(padding=(0, 1))
        most = max(self.tally.agents.values(), default=0)
        for agent, name in self.agents.items():
            count = self.tally.agents[agent]
            bar = "█" * round(BAR_CELLS * count / most) if most else ""
            style = "bold" if agent in self.online else "dim"
            table.add_row(Text(name, style=style), Text(f"{bar:<{BAR_CELLS}}", style="cyan"), f"{count:>5}")
        return table


def progress_line(picture: Picture) -> str:
    """The picture in one line, for a log."""
    tally = picture.tally
    counts = [f"{label} {tally.counts[topic]}" for label, topic in _COUNTED.items()]
    counts += [f"{channel} {count}" for channel, count in sorted(tally.channels.items())]
    counts += [f"online {len(picture.online)}", *(f"{name} {tally.counts[name]}" for name in _ACTS)]
    waiting = sum(picture.lags.values())
    p95_ms = tally.latencies.percentile(95)
    latency = "" if p95_ms is None else f", latency p95 {p95_ms} ms"
    return f"{picture.seconds:>4} s: {', '.join(counts)}, lag {waiting}{latency}"


def summary_lines(report: Mapping[str, object]) -> list[str]:
    """A report as lines for people: names padded, latencies in one line."""
    lines = []
    for name, value in report.items():
        shown = value
        if isinstance(value, Mapping):
            parts = (f"{key} {'–' if each is None else each}" for key, each in value.items())
            shown = "  ".join(parts) or "–"
        lines.append(f"  {name.replace('_', ' '):<24}{shown}")
    return lines
