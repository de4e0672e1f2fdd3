"""`tongdai topics`: the topics of the catalogue, and those on Kafka."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from config.topics import CATALOGUE, DAY_MS, Topic
from config.topics_apply import TopicsReport, apply_topics
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table
from workers.cli.start import start_tool

app = command_app()

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@app.command()
def apply(dry_run: DryRunOption = False, json: JsonOption = False) -> None:
    """Create what is missing and tell what differs. Never deletes, grows or alters a topic.

    Exits with 1 when a topic has another number of partitions than it should: workers refuse to run so.
    """
    report = asyncio.run(apply_topics(start_tool(), dry_run=dry_run))
    if json:
        print_json({"usable": report.usable, **vars(report)})
    else:
        _print_report(report)
    if not report.usable:
        raise typer.Exit(1)


def _print_report(report: TopicsReport) -> None:
    verb = "would create" if report.dry_run else "created"
    for name in report.created:
        typer.echo(f"{verb} {name}")
    for difference in report.differences:
        typer.echo(f"differs: {difference}")
    differing = len({difference.topic for difference in report.differences})
    typer.echo(f"{verb} {len(report.created)}, unchanged {len(report.unchanged)}, differing {differing}")


@app.command("list")
def list_topics(json: JsonOption = False) -> None:
    """List the catalogue: names, keys, partitions, how long records are kept. Kafka is not asked."""
    kafka = start_tool().kafka
    rows = [
        {
            "name": topic.full_name(kafka.topic_prefix),
            "key": topic.key,
            "partitions": topic.partitions(kafka),
            "retention_ms": topic.retention_ms,
            "configs": topic.configs(kafka),
        }
        for topic in CATALOGUE
    ]
    if json:
        print_json(rows)
        return
    cells = [
        (str(row["name"]), topic.key, str(row["partitions"]), _kept(topic), _clock(topic))
        for row, topic in zip(rows, CATALOGUE, strict=True)
    ]
    print_table(("name", "key", "partitions", "kept", "timestamps"), cells)


def _kept(topic: Topic) -> str:
    return "for ever" if topic.retention_ms is None else f"{topic.retention_ms // DAY_MS} days"


def _clock(topic: Topic) -> str:
    return "the broker's" if topic.log_append_time else "the writer's"
