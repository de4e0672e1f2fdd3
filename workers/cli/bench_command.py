"""`tongdai bench`: how fast it is on this machine, beside other ways to do the same."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import uvloop
from rich.console import Console

from config.errors import ExitCode, UsageError
from config.settings import Settings
from workers.cli.group import command_app
from workers.cli.start import start_tool

app = command_app()

ReportOption = Annotated[Path | None, typer.Option("--report", help="Write the results here as JSON.")]
PlotOption = Annotated[Path | None, typer.Option("--plot", help="Draw the results here as SVG.")]
DocumentOption = Annotated[
    Path | None, typer.Option("--document", help="Write the tables into this page, between its marks.")
]
RoundsOption = Annotated[int, typer.Option("--rounds", min=1, max=20, help="How often each one runs.")]


@app.callback()
def _group() -> None:
    """Make each benchmark a command of a group."""


@app.command()
def throughput(
    report: ReportOption = None,
    plot: PlotOption = None,
    document: DocumentOption = None,
    messages: Annotated[
        int, typer.Option("--messages", min=5_000, max=10_000_000, help="The backlog that each one drains.")
    ] = 100_000,
    rounds: RoundsOption = 3,
    limit_s: Annotated[
        float, typer.Option("--limit", min=1, max=600, help="Seconds after which a slow one is stopped.")
    ] = 8.0,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run this contestant alone; may be repeated.")
    ] = None,
) -> None:
    """Drain the same backlog in turn: a bare pipeline, ours, FastStream, Faust.

    With a named Kafka and Postgres it runs there, in topics and a database of its own, deleted afterwards.
    """
    bench = _module("bench.throughput")
    known = {one.name: one for one in _module("bench.contestants").CONTESTANTS}
    unknown = set(only or ()) - set(known)
    if unknown:
        raise UsageError(f"--only {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    chosen = [one for name, one in known.items() if not only or name in only]
    plan = bench.ThroughputPlan(chosen, messages, rounds, limit_s)
    result = uvloop.run(bench.measure(_start(), plan, typer.echo))
    _show(_module("bench.table").throughput_table(result))
    _write(result, report, plot, document, "throughput")


@app.command()
def latency(
    report: ReportOption = None,
    plot: PlotOption = None,
    document: DocumentOption = None,
    rate: Annotated[
        float, typer.Option("--rate", min=10, max=100_000, help="Messages a second, evenly.")
    ] = 1_000.0,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, max=3_600, help="How long each run measures.")
    ] = 30.0,
    rounds: RoundsOption = 1,
) -> None:
    """Measure from the broker's append of a message to its notification, beside two bare hops."""
    bench = _module("bench.latency")
    plan = bench.LatencyPlan(rate, seconds, rounds)
    result = uvloop.run(bench.measure(_start(), plan, typer.echo))
    tables = _module("bench.table")
    _show(tables.latency_table(result), tables.stages_table(result))
    _write(result, report, plot, document, "latency")


@app.command()
def compare(
    report: ReportOption = None,
    pairs: Annotated[int, typer.Option("--pairs", min=1, max=50, help="How often each pair runs.")] = 5,
    messages: Annotated[
        int, typer.Option("--messages", min=5_000, max=10_000_000, help="The backlog that each one drains.")
    ] = 50_000,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, max=1_000, help="Percent that a ratio may be worse.")
    ] = 5.0,
    record: Annotated[
        bool, typer.Option("--record", help="Let what is found be what is compared with from now on.")
    ] = False,
) -> None:
    """Tell whether something became slower than the recorded ratios; then the exit code is 1.

    Each pair is ours and what it is held against, one after the other. Something is slower when its median
    is worse by more than the tolerance, and its best pair worse than the worst that was recorded.
    """
    bench, records = _module("bench.compare"), _module("bench.record")
    plan = bench.ComparePlan(pairs, messages, tolerance / 100)
    recorded = records.read_record()
    result = uvloop.run(bench.measure(_start(), plan, recorded, typer.echo))
    tables = _module("bench.compare_table")
    _show(tables.compare_table(result), *tables.notes(result))
    _write(result, report, None, None, "compare")
    if record:
        records.write_record(result.record())
    elif result.slower:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def desk(
    report: ReportOption = None,
    commands: Annotated[
        int, typer.Option("--commands", min=50, max=10_000, help="Of each kind, decided on in memory.")
    ] = 5_000,
    rounds: RoundsOption = 3,
) -> None:
    """Measure one desk: decisions in memory, and assignments kept in Postgres beside the bare statements."""
    bench = _module("bench.desk")
    result = uvloop.run(bench.measure(_start(), bench.DeskPlan(commands, rounds), typer.echo))
    _show(*_module("bench.desk_table").tables(result))
    _write(result, report, None, None, "desk")


@app.command()
def desks(
    report: ReportOption = None,
    document: DocumentOption = None,
    desks_: Annotated[
        list[int], typer.Option("--desks", min=1, max=1_000_000, help="How many; may be repeated.")
    ] = [1, 100, 10_000],  # noqa: B006
    commands: Annotated[
        int, typer.Option("--commands", min=500, max=10_000_000, help="Over each number of desks.")
    ] = 20_000,
) -> None:
    """Deal new conversations at one desk, at many and at very many: what a command costs."""
    bench = _module("bench.desks")
    result = uvloop.run(bench.measure(_start(), bench.DesksPlan(desks_, commands), typer.echo))
    _show(_module("bench.desks_table").desks_table(result))
    _write(result, report, None, document, "desks")


@app.command()
def gateway(
    report: ReportOption = None,
    document: DocumentOption = None,
    agents: Annotated[
        int, typer.Option("--agents", min=2, max=4_000, help="Each with a socket, all of one rule.")
    ] = 1_000,
    conversations: Annotated[
        int,
        typer.Option("--conversations", min=1, max=1_000, help="Clicked on by all: in turn, then at once."),
    ] = 200,
    idle: Annotated[
        int, typer.Option("--idle", min=1, max=50_000, help="Idle sockets of one gateway.")
    ] = 10_000,
) -> None:
    """Let many agents click on the same conversations through one gateway, beside a bare floor."""
    bench = _module("bench.gateway")
    plan = bench.GatewayPlan(agents, conversations, min(conversations, 20), idle)
    result = uvloop.run(bench.measure(_start(), plan, typer.echo))
    _show(*_module("bench.gateway_table").tables(result))
    _write(result, report, None, document, "gateway")


@app.command()
def visitors(
    report: ReportOption = None,
    visitors_: Annotated[
        int, typer.Option("--visitors", min=1, max=50_000, help="Each with a socket at one ingress.")
    ] = 5_000,
    writing: Annotated[
        int, typer.Option("--writing", min=1, max=50_000, help="So many of them write.")
    ] = 500,
    blocked: Annotated[
        int, typer.Option("--blocked", min=1, max=1_000, help="So many of these are kept out in the end.")
    ] = 100,
    rate: Annotated[
        float, typer.Option("--rate", min=1, max=10_000, help="Messages a second of all together.")
    ] = 200.0,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, max=3_600, help="How long it is measured.")
    ] = 30.0,
) -> None:
    """See how soon agents are told what visitors of a website write, and who is kept out loses his window."""
    bench = _module("bench.visitors")
    writing = min(writing, visitors_)
    plan = bench.VisitorsPlan(visitors_, writing, rate, seconds, min(blocked, writing))
    result = uvloop.run(bench.measure(_start(), plan, typer.echo))
    _show(_module("bench.website_tables").visitors_table(result))
    _write(result, report, None, None, "visitors")


@app.command()
def ingress(
    report: ReportOption = None,
    rate: Annotated[float, typer.Option("--rate", min=1, max=50_000, help="Webhooks a second.")] = 2_000.0,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, max=3_600, help="How long they are posted.")
    ] = 60.0,
    storm: Annotated[
        float, typer.Option("--storm", min=1, max=50_000, help="Webhooks a second in the storm behind it.")
    ] = 5_000.0,
    storm_s: Annotated[
        float, typer.Option("--storm-seconds", min=1, max=600, help="How long that lasts.")
    ] = 20.0,
) -> None:
    """Post signed webhooks to one ingress while the workers drain them, then more than it can take."""
    bench = _module("bench.ingress")
    plan = bench.IngressPlan(rate, seconds, storm, storm_s)
    result = uvloop.run(bench.measure(_start(), plan, typer.echo))
    _show(_module("bench.website_tables").ingress_table(result))
    _write(result, report, None, None, "ingress")


@app.command()
def scale(
    report: ReportOption = None,
    workers: Annotated[
        list[int], typer.Option("--workers", min=1, max=48, help="Routing workers; may be repeated.")
    ] = [1, 2, 4],  # noqa: B006  typer's way to say a list
    partitions: Annotated[
        list[int], typer.Option("--partitions", min=2, max=1_000, help="Of conversations; may be repeated.")
    ] = [12, 48],  # noqa: B006
    rate: Annotated[
        float, typer.Option("--rate", min=10, max=100_000, help="Messages a second, evenly.")
    ] = 500.0,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, max=3_600, help="How long each run measures.")
    ] = 20.0,
    warm_up_s: Annotated[
        float, typer.Option("--warm-up", min=0.1, max=600, help="Seconds of traffic before it counts.")
    ] = 10.0,
) -> None:
    """Let one routing worker and several take the same traffic, over few lanes and many.

    Two cores cannot show how much faster several are; they show what a message costs, and how long it takes.
    """
    bench = _module("bench.scale")
    traffic = _module("bench.latency").LatencyPlan(rate, seconds, warm_up_s=warm_up_s)
    result = uvloop.run(bench.measure(_start(), bench.ScalePlan(workers, partitions, traffic), typer.echo))
    _show(_module("bench.scale_table").scale_table(result))
    _write(result, report, None, None, "scale")


@app.command()
def stored(
    report: ReportOption = None,
    document: DocumentOption = None,
    conversations: Annotated[
        list[int],
        typer.Option("--conversations", min=1_000, max=100_000_000, help="Stored before; may be repeated."),
    ] = [10_000, 100_000, 1_000_000],  # noqa: B006
    messages: Annotated[
        int, typer.Option("--messages", min=1_000, max=10_000_000, help="The backlog over each of them.")
    ] = 40_000,
) -> None:
    """Drain the same backlog among few and among many stored conversations: what a message costs."""
    bench = _module("bench.stored")
    result = uvloop.run(bench.measure(_start(), bench.StoredPlan(conversations, messages), typer.echo))
    _show(*_module("bench.stored_table").tables(result))
    _write(result, report, None, document, "stored")


@app.command()
def lists(
    report: ReportOption = None,
    conversations: Annotated[
        int, typer.Option("--conversations", min=1_000, max=10_000_000, help="In all lists together.")
    ] = 200_000,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, max=1_000, help="How often each question is asked.")
    ] = 20,
) -> None:
    """Ask for what agents and page admins look at: lists, counts and searches in a large shop."""
    bench = _module("bench.lists")
    result = uvloop.run(bench.measure(_start(), bench.ListsPlan(conversations, rounds), typer.echo))
    _show(_module("bench.lists_table").lists_table(result))
    _write(result, report, None, None, "lists")


def _start() -> Settings:
    """As every short command, without what a client logs while topics are a few milliseconds old."""
    settings = start_tool()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return settings


def _module(name: str) -> Any:  # noqa: ANN401  a module
    """Import a part of the benchmarks; what they need beyond the workers comes with the extra `dev`."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the benchmarks need {error.name}: run them from a checkout set up with `make setup`"
        ) from error


def _show(*tables: object) -> None:
    console = Console()
    for table in tables:
        console.print(table)


def _write(result: Any, report: Path | None, plot: Path | None, document: Path | None, what: str) -> None:  # noqa: ANN401
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_bytes(orjson.dumps(result.report(), option=orjson.OPT_INDENT_2) + b"\n")
    if plot is not None:
        getattr(_module("bench.plot"), f"plot_{what}")(result, plot)
    if document is not None:
        getattr(_module("bench.document"), f"write_{what}")(result, document)
