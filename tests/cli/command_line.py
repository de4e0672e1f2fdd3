"""Command lines that stand in files of ours, parsed without being run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from typer.core import TyperGroup
from typer.main import get_command

from workers.cli.main import app
from workers.cli.worker_command import app as worker_app


def parse(args: Sequence[str]) -> str:
    """The last sub-command's name. Raises what the command line says of a wrong one."""
    command, context = get_command(app), None
    rest, name = list(args), "tongdai"
    while isinstance(command, TyperGroup):
        context = command.make_context(name, rest, parent=context, resilient_parsing=False)
        found, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert inner is not None
        assert found is not None
        command, name = inner, found
    command.make_context(name, rest, parent=context)
    return name


def workers() -> set[str]:
    """The workers that `tongdai worker` knows."""
    group = get_command(worker_app)
    assert isinstance(group, TyperGroup)
    return set(group.commands)


def commands() -> set[str]:
    """Every command that does something, as it is called: `topics apply`."""
    return set(_leaves(get_command(app)))


def _leaves(command: object, name: str = "") -> Iterator[str]:
    if not isinstance(command, TyperGroup):
        yield name.strip()
        return
    for each in command.list_commands(None):  # type: ignore[arg-type]
        context = command.make_context("tongdai", [each], resilient_parsing=True)
        _, inner, _ = command.resolve_command(context, [each])
        yield from _leaves(inner, f"{name} {each}")
