"""The entry point of `tongdai`: its commands, and what its exit codes say."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, NoReturn

import typer

from config.error_text import traced
from config.errors import ExitCode
from config.printable import printable
from config.redaction import redact_string
from workers.cli.exits import expected_error
from workers.cli.group import Entry, LazyGroup

COMMANDS = {
    "demo": Entry("workers.cli.demo_command", "Watch everything at work, with invented customers."),
    "up": Entry("workers.cli.up_command", "Run all workers on this machine."),
    "worker": Entry("workers.cli.worker_command", "Run one worker until it is told to stop."),
    "apply": Entry("workers.cli.apply_command", "Make desks what a workspace file says."),
    "export": Entry("workers.cli.export_command", "Write the workspace file of what desks have."),
    "gateway": Entry(
        "workers.cli.gateway_command", "Write the OpenAPI document; `worker gateway` is what serves it."
    ),
    "pages": Entry("workers.cli.pages_command", "Give pages their tokens, and see how they fare."),
    "mail": Entry("workers.cli.mail_command", "Give a reply that came to the mail server to the ingress."),
    "history": Entry("workers.cli.history_command", "Fetch older messages from the channels."),
    "blacklist": Entry("workers.cli.blacklist_command", "Say who is kept out of a page."),
    "accounts": Entry("workers.cli.accounts_command", "Say who may come in through the gateway."),
    "webhooks": Entry("workers.cli.webhooks_command", "Tell events to other systems' URLs."),
    "migrate": Entry("workers.cli.migrate_command", "Bring the database to the newest version."),
    "explain": Entry("workers.cli.explain_command", "Tell why a conversation is where it is."),
    "whatif": Entry("workers.cli.whatif_command", "See what a desk would have done under other rules."),
    "tail": Entry(
        "workers.cli.tail_command", "Follow assignments, messages or the roster while they happen."
    ),
    "lag": Entry("workers.cli.lag_command", "Show how far the workers are behind."),
    "deadletter": Entry("workers.cli.deadletter_command", "Look at what was refused, and replay it."),
    "connector": Entry("workers.cli.connector_command", "Check what a channel's connector publishes."),
    "recover": Entry("workers.cli.recover_command", "List stopped lanes, and let them run again."),
    "erase": Entry("workers.cli.erase_command", "Take away what is known of one customer."),
    "topics": Entry(
        "workers.cli.topics_command", "Create the topics that are missing; list ours, without asking Kafka."
    ),
    "access": Entry(
        "workers.cli.access_command", "Write what gives each worker a user with its rights alone."
    ),
    "config": Entry("workers.cli.config_command", "Look at the settings."),
    "bench": Entry("workers.cli.bench_command", "Measure throughput and latency on this machine."),
    "faults": Entry("workers.cli.faults_command", "Break everything while messages flow, and check it."),
    "schema": Entry("workers.cli.schema_command", "Write the contract of the topics for other programs."),
}
"""All commands, in the order in which the help shows them: a new one is one line here."""


class Commands(LazyGroup):
    """The commands of `tongdai`."""

    entries = COMMANDS


app = typer.Typer(
    cls=Commands,
    help="A switchboard for customer conversations: every message to one agent, exactly once.",
    epilog="Exit codes: 0 ok, 1 failed, 2 usage, 3 configuration, 4 fenced, 5 dependency.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would show local variables, and secrets with them
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"tongdai {version('tongdai')}")
    except PackageNotFoundError:
        typer.echo("tongdai, not installed: run from its folder")
    raise typer.Exit


@app.callback()
def _before_any_command(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that stand before the command."""


def run(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line (default: the process's own arguments) and exit with its code.

    Expected errors are one message on stderr; an error that nobody foresaw shows its traceback, without
    the data that it was raised over.
    """
    try:
        app(args=args, prog_name="tongdai")
    except Exception as error:  # noqa: BLE001 - the last to see it
        expected = expected_error(error)
        if expected is None:
            typer.echo(redact_string(traced(error)), err=True)  # a worker's stderr is its log
            sys.exit(ExitCode.FAILED)
        typer.echo(f"tongdai: {printable(str(expected), lines=True)}", err=True)
        sys.exit(expected.exit_code)
    sys.exit(0)


if __name__ == "__main__":
    run()
