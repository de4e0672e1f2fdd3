"""`tongdai webhooks`: what is told to other systems' URLs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError

from config.errors import TongdaiError, UsageError
from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json, print_table, time_text
from workers.cli.start import start_tool
from workers.runtime.handler import Connection
from workers.runtime.postgres import connected
from workers.webhooks.administering import Webhooks
from workers.webhooks.endpoint import ATTEMPTS_KEPT, Attempt, Created, Endpoint, NewEndpoint, Replay, Secret
from workers.webhooks.signing import signing_keys

BY = "cli"
TEST_DEADLINE_S = 40.0
LOOK_EVERY_S = 0.2

app = command_app()

Workspace = Annotated[str, typer.Argument(help="The workspace.")]
Id = Annotated[str, typer.Argument(help="The endpoint, as it was called when it was added.")]
FromOption = Annotated[
    str,
    typer.Option(
        "--from",
        help="beginning, now, a time such as 2026-11-22T08:00:00+07:00, or offsets by topic and partition: "
        '{"assignments": {"0": 17}}; the other partitions then stay where they are.',
    ),
]
Work = Callable[[Webhooks, Connection], Awaitable[Any]]


@app.callback()
def _group() -> None:
    """Make each a command of a group."""


@app.command(name="list")
def list_(workspace: Workspace, json: JsonOption = False) -> None:
    """List the endpoints of a workspace, and how each is doing."""
    found: list[Endpoint] = _run(lambda webhooks, connection: webhooks.all(connection, workspace))
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = [
        (
            one.id,
            one.url,
            " ".join(one.events),
            one.state,
            _trouble(one),
            time_text(one.delivered_at),
            _number(one.behind),
        )
        for one in found
    ]
    print_table(("endpoint", "url", "events", "state", "trouble", "last delivery", "behind"), rows)


@app.command()
def add(
    workspace: Workspace,
    endpoint: Annotated[
        str, typer.Argument(help="What it is to be called: lower case letters, digits, dashes.")
    ],
    url: Annotated[str, typer.Argument(help="Where events are posted: https://…")],
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="A topic (assignments, messages, roster) or a kind such as messages.stored; repeat."
        ),
    ] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    from_: FromOption = "now",
) -> None:
    """Have events told to a URL; prints the secret that signs them, which is shown only now."""
    asked = {"id": endpoint, "url": url, "description": description, "from": _from(from_)}
    new = _valid(NewEndpoint, {**asked, "events": event or ["assignments"]})
    created: Created = _run(lambda webhooks, connection: webhooks.add(connection, workspace, new, BY))
    typer.echo(created.secret)


@app.command()
def remove(workspace: Workspace, endpoint: Id) -> None:
    """Tell an endpoint nothing more, and forget its place."""
    _run(lambda webhooks, connection: webhooks.remove(connection, workspace, endpoint))
    typer.echo(f"{endpoint} is removed")


@app.command()
def pause(workspace: Workspace, endpoint: Id) -> None:
    """Tell an endpoint nothing until it is resumed; it keeps its place."""
    _run(lambda webhooks, connection: webhooks.pause(connection, workspace, endpoint, BY))
    typer.echo(f"{endpoint} is paused")


@app.command()
def resume(workspace: Workspace, endpoint: Id) -> None:
    """Go on where an endpoint stands, at once."""
    _run(lambda webhooks, connection: webhooks.resume(connection, workspace, endpoint))
    typer.echo(f"{endpoint} goes on")


@app.command()
def replay(workspace: Workspace, endpoint: Id, from_: FromOption) -> None:
    """Tell an endpoint again from another place on; the same events have the same webhook-id."""
    begin = _valid(Replay, {"from": _from(from_)}).from_
    _run(lambda webhooks, connection: webhooks.replay(connection, workspace, endpoint, begin))
    typer.echo(f"{endpoint} is told from {from_} on")


@app.command()
def rotate(workspace: Workspace, endpoint: Id) -> None:
    """Draw another secret, shown only now; for 24 hours the one before signs too."""
    drawn: Secret = _run(lambda webhooks, connection: webhooks.rotate(connection, workspace, endpoint))
    typer.echo(drawn.secret)


@app.command()
def test(workspace: Workspace, endpoint: Id) -> None:
    """Have a worker send a test event, and say what became of it."""
    told: Attempt | None = _run(
        lambda webhooks, connection: send_test(webhooks, connection, workspace, endpoint)
    )
    if told is None:
        raise TongdaiError(
            f"No worker has sent it within {TEST_DEADLINE_S:g} s: does tongdai worker webhooks run?"
        )
    if told.error is not None:
        raise TongdaiError(f"It was not delivered: {told.error}")
    typer.echo(f"delivered: {told.status} after {told.took_ms} ms")


@app.command()
def attempts(
    workspace: Workspace,
    endpoint: Id,
    limit: Annotated[int, typer.Option(min=1, max=ATTEMPTS_KEPT, help="How many.")] = 20,
    json: JsonOption = False,
) -> None:
    """List the last attempts to tell an endpoint something, the newest first."""
    found: list[Attempt] = _run(
        lambda webhooks, connection: webhooks.attempts(connection, workspace, endpoint, limit)
    )
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = [
        (
            time_text(one.at),
            one.type,
            _place(one),
            _number(one.status),
            f"{one.took_ms} ms",
            one.error or "delivered",
            one.event,
        )
        for one in found
    ]
    print_table(("at", "type", "record", "status", "took", "became", "webhook-id"), rows)


async def send_test(webhooks: Webhooks, connection: Connection, workspace: str, id_: str) -> Attempt | None:
    """Ask for a test and wait for what becomes of it; none: no worker has sent it in time."""
    asked_at = await webhooks.test(connection, workspace, id_)
    until_s = time.monotonic() + TEST_DEADLINE_S
    while time.monotonic() < until_s:
        for one in await webhooks.attempts(connection, workspace, id_, ATTEMPTS_KEPT):
            if one.topic is None and one.at >= asked_at:
                return one
        await asyncio.sleep(LOOK_EVERY_S)
    return None


def _run(work: Work) -> Any:  # noqa: ANN401 - what the work returns
    async def run() -> object:
        settings = start_tool()
        async with connected(settings, "tongdai webhooks") as connection:
            return await work(Webhooks(settings, signing_keys(settings)), connection)

    return asyncio.run(run())


def _valid(model: type[Any], fields: dict[str, Any]) -> Any:  # noqa: ANN401 - an instance of the model
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{'/'.join(map(str, first['loc'][:1]))} will not do: {first['msg']}.") from error


def _from(text: str) -> object:
    """What was said after --from; offsets are JSON."""
    if not text.startswith("{"):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"--from is no JSON: {error}.") from error


def _trouble(endpoint: Endpoint) -> str:
    if endpoint.why:
        return endpoint.why
    if endpoint.failures:
        return f"{endpoint.failures} failures, tried again at {time_text(endpoint.retry_at)}"
    return f"{len(endpoint.stuck)} partitions are refused" if endpoint.stuck else ""


def _place(attempt: Attempt) -> str:
    return "test" if attempt.topic is None else f"{attempt.topic}/{attempt.partition}/{attempt.offset}"


def _number(number: int | None) -> str:
    return "" if number is None else str(number)
