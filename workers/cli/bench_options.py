"""The options of `tongdai bench`: how much of what, how long, and where results go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Report = Annotated[Path | None, typer.Option("--report", help="Write the results here as JSON.")]
Plot = Annotated[Path | None, typer.Option("--plot", help="Draw the results here as SVG.")]
Document = Annotated[
    Path | None, typer.Option("--document", help="Write the tables into this page, between its marks.")
]
Only = Annotated[list[str] | None, typer.Option("--only", help="Run this contestant alone; may be repeated.")]

Rounds = Annotated[int, typer.Option("--rounds", min=1, max=20, help="How often each one runs.")]
RoundsOfQuestions = Annotated[
    int, typer.Option("--rounds", min=1, max=1_000, help="How often each question is asked.")
]
Starts = Annotated[int, typer.Option("--starts", min=1, max=100, help="How often a worker is started.")]
Pairs = Annotated[int, typer.Option("--pairs", min=1, max=50, help="How often each pair runs.")]
Tolerance = Annotated[
    float, typer.Option("--tolerance", min=0, max=1_000, help="Percent that a ratio may be worse.")
]
Recording = Annotated[
    bool, typer.Option("--record", help="Let what is found be what is compared with from now on.")
]

Backlog = Annotated[
    int, typer.Option("--messages", min=5_000, max=10_000_000, help="The backlog that each one drains.")
]
BacklogOverStored = Annotated[
    int, typer.Option("--messages", min=1_000, max=10_000_000, help="The backlog over each of them.")
]
Stored = Annotated[
    list[int],
    typer.Option("--conversations", min=1_000, max=100_000_000, help="Stored before; may be repeated."),
]
InLists = Annotated[
    int, typer.Option("--conversations", min=1_000, max=10_000_000, help="In all lists together.")
]
ClickedOn = Annotated[
    int, typer.Option("--conversations", min=1, max=1_000, help="Clicked on by all: in turn, then at once.")
]
Decided = Annotated[
    int, typer.Option("--commands", min=50, max=10_000, help="Of each kind, decided on in memory.")
]
OverDesks = Annotated[
    int, typer.Option("--commands", min=500, max=10_000_000, help="Over each number of desks.")
]

Desks = Annotated[list[int], typer.Option("--desks", min=1, max=1_000_000, help="How many; may be repeated.")]
Agents = Annotated[
    int, typer.Option("--agents", min=2, max=4_000, help="Each with a socket, all of one rule.")
]
Idle = Annotated[int, typer.Option("--idle", min=1, max=50_000, help="Idle sockets of one gateway.")]
Visitors = Annotated[
    int, typer.Option("--visitors", min=1, max=50_000, help="Each with a socket at one ingress.")
]
Writing = Annotated[int, typer.Option("--writing", min=1, max=50_000, help="So many of them write.")]
Blocked = Annotated[
    int, typer.Option("--blocked", min=1, max=1_000, help="So many of these are kept out in the end.")
]
Workers = Annotated[
    list[int], typer.Option("--workers", min=1, max=48, help="Routing workers; may be repeated.")
]
Partitions = Annotated[
    list[int], typer.Option("--partitions", min=2, max=1_000, help="Of conversations; may be repeated.")
]

Rate = Annotated[float, typer.Option("--rate", min=10, max=100_000, help="Messages a second, evenly.")]
RateOfAll = Annotated[
    float, typer.Option("--rate", min=1, max=10_000, help="Messages a second of all together.")
]
Webhooks = Annotated[float, typer.Option("--rate", min=1, max=50_000, help="Webhooks a second.")]
Storm = Annotated[
    float, typer.Option("--storm", min=1, max=50_000, help="Webhooks a second in the storm behind it.")
]

Limit = Annotated[
    float, typer.Option("--limit", min=1, max=600, help="Seconds after which a slow one is stopped.")
]
EachRun = Annotated[float, typer.Option("--seconds", min=1, max=3_600, help="How long each run measures.")]
Measured = Annotated[float, typer.Option("--seconds", min=1, max=3_600, help="How long it is measured.")]
Posted = Annotated[float, typer.Option("--seconds", min=1, max=3_600, help="How long they are posted.")]
StormLasts = Annotated[float, typer.Option("--storm-seconds", min=1, max=600, help="How long that lasts.")]
Idling = Annotated[
    float, typer.Option("--idle", min=1, max=3_600, help="Seconds in which workers have nothing to do.")
]
WarmUp = Annotated[
    float, typer.Option("--warm-up", min=0.1, max=600, help="Seconds of traffic before it counts.")
]
