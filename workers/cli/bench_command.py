"""`tongdai bench`: how fast it is on this machine, beside other ways to do the same."""

from __future__ import annotations

import typer

from config.errors import ExitCode, UsageError
from workers.cli import bench_options as options
from workers.cli.bench_run import run
from workers.cli.checkout_only import part
from workers.cli.group import command_app

app = command_app()


@app.callback()
def _group() -> None:
    """Make each benchmark a command of a group."""


@app.command()
def throughput(
    report: options.Report = None,
    plot: options.Plot = None,
    document: options.Document = None,
    messages: options.Backlog = 100_000,
    rounds: options.Rounds = 3,
    limit_s: options.Limit = 8.0,
    only: options.Only = None,
) -> None:
    """Drain the same backlog in turn: a bare pipeline, ours, two of ours, Kafka Streams, FastStream, Faust.

    With a named Kafka and Postgres it runs there, in topics and a database of its own, deleted afterwards.
    """
    known = {one.name: one for one in part("bench.contestants").CONTESTANTS}
    unknown = set(only or ()) - set(known)
    if unknown:
        raise UsageError(f"--only {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    chosen = [one for name, one in known.items() if not only or name in only]
    plan = part("bench.throughput").ThroughputPlan(chosen, messages, rounds, limit_s)
    run("throughput", plan, part("bench.throughput_table").tables, report, plot, document)


@app.command()
def latency(
    report: options.Report = None,
    plot: options.Plot = None,
    document: options.Document = None,
    rate: options.Rate = 1_000.0,
    seconds: options.EachRun = 30.0,
    rounds: options.Rounds = 1,
) -> None:
    """Measure from the broker's append of a message to its notification, beside two bare hops."""
    plan = part("bench.latency").LatencyPlan(rate, seconds, rounds)
    run("latency", plan, part("bench.table").latency_tables, report, plot, document)


@app.command()
def quiet(
    report: options.Report = None,
    document: options.Document = None,
    starts: options.Starts = 5,
    idle_s: options.Idling = 30.0,
    rate: options.Rate = 10.0,
    seconds: options.EachRun = 60.0,
) -> None:
    """See how soon workers that start are at work, what idle ones take, and how long a lone message takes."""
    traffic = part("bench.latency").LatencyPlan(rate, seconds, warm_up_s=10.0)
    plan = part("bench.quiet").QuietPlan(starts, idle_s, traffic)
    run("quiet", plan, part("bench.quiet_table").tables, report, document=document)


@app.command()
def compare(
    report: options.Report = None,
    pairs: options.Pairs = 5,
    messages: options.Backlog = 50_000,
    tolerance: options.Tolerance = 5.0,
    record: options.Recording = False,
) -> None:
    """Tell whether something became slower than the recorded ratios; then the exit code is 1.

    Each pair is ours and what it is held against, one after the other. Something is slower when its median
    is worse by more than the tolerance, and its best pair worse than the worst that was recorded.
    """
    plan = part("bench.compare").ComparePlan(pairs, messages, tolerance / 100)
    result = run("compare", plan, part("bench.compare_table").tables, report)
    if record:
        part("bench.record").write_record(result.record())
    elif result.slower:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def desk(
    report: options.Report = None, commands: options.Decided = 5_000, rounds: options.Rounds = 3
) -> None:
    """Measure one desk: decisions in memory, and assignments kept in Postgres beside the bare statements."""
    plan = part("bench.desk").DeskPlan(commands, rounds)
    run("desk", plan, part("bench.desk_table").tables, report)


@app.command()
def desks(
    report: options.Report = None,
    document: options.Document = None,
    desks_: options.Desks = [1, 100, 10_000],  # noqa: B006  typer's way to say a list
    commands: options.OverDesks = 20_000,
) -> None:
    """Deal new conversations at one desk, at many and at very many: what a command costs."""
    plan = part("bench.desks").DesksPlan(desks_, commands)
    run("desks", plan, part("bench.desks_table").tables, report, document=document)


@app.command()
def gateway(
    report: options.Report = None,
    document: options.Document = None,
    agents: options.Agents = 1_000,
    conversations: options.ClickedOn = 200,
    idle: options.Idle = 10_000,
) -> None:
    """Let many agents click on the same conversations through one gateway, beside a bare floor."""
    plan = part("bench.gateway").GatewayPlan(agents, conversations, min(conversations, 20), idle)
    run("gateway", plan, part("bench.gateway_table").tables, report, document=document)


@app.command()
def visitors(
    report: options.Report = None,
    visitors_: options.Visitors = 5_000,
    writing: options.Writing = 500,
    blocked: options.Blocked = 100,
    rate: options.RateOfAll = 200.0,
    seconds: options.Measured = 30.0,
) -> None:
    """See how soon agents are told what visitors of a website write, and who is kept out loses his window."""
    writing = min(writing, visitors_)
    plan = part("bench.visitors").VisitorsPlan(visitors_, writing, rate, seconds, min(blocked, writing))
    run("visitors", plan, part("bench.website_tables").visitors_tables, report)


@app.command()
def ingress(
    report: options.Report = None,
    rate: options.Webhooks = 2_000.0,
    seconds: options.Posted = 60.0,
    storm: options.Storm = 5_000.0,
    storm_s: options.StormLasts = 20.0,
) -> None:
    """Post signed webhooks to one ingress while the workers drain them, then more than it can take."""
    plan = part("bench.ingress").IngressPlan(rate, seconds, storm, storm_s)
    run("ingress", plan, part("bench.website_tables").ingress_tables, report)


@app.command()
def scale(
    report: options.Report = None,
    document: options.Document = None,
    workers: options.Workers = [1, 2, 4],  # noqa: B006
    partitions: options.Partitions = [12, 48],  # noqa: B006
    rate: options.Rate = 500.0,
    seconds: options.EachRun = 20.0,
    warm_up_s: options.WarmUp = 10.0,
) -> None:
    """Let one routing worker and several take the same traffic, over few lanes and many.

    Two cores cannot show how much faster several are; they show what a message costs, and how long it takes.
    """
    traffic = part("bench.latency").LatencyPlan(rate, seconds, warm_up_s=warm_up_s)
    plan = part("bench.scale").ScalePlan(workers, partitions, traffic)
    run("scale", plan, part("bench.scale_table").tables, report, document=document)


@app.command()
def stored(
    report: options.Report = None,
    document: options.Document = None,
    conversations: options.Stored = [10_000, 100_000, 1_000_000],  # noqa: B006
    messages: options.BacklogOverStored = 40_000,
) -> None:
    """Drain the same backlog among few and among many stored conversations: what a message costs."""
    plan = part("bench.stored").StoredPlan(conversations, messages)
    run("stored", plan, part("bench.stored_table").tables, report, document=document)


@app.command()
def lists(
    report: options.Report = None,
    conversations: options.InLists = 200_000,
    rounds: options.RoundsOfQuestions = 20,
) -> None:
    """Ask for what agents and page admins look at: lists, counts and searches in a large shop."""
    plan = part("bench.lists").ListsPlan(conversations, rounds)
    run("lists", plan, part("bench.lists_table").tables, report)
