"""Groups of commands, and how the top one imports a command's module only when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import typer
from typer._click.core import Command, Context  # Typer has no public names for these two
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


@dataclass(frozen=True)
class Entry:
    """A command's module, which has an `app`, and the line that `tongdai --help` shows of it."""

    module: str
    help: str


def command_app() -> typer.Typer:
    """Return the Typer app of a command's module.

    With one `@app.command()` it is a single command; with several, or an `@app.callback()`, it is a group.
    """
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class LazyGroup(TyperGroup):
    """A group that knows names and help lines of its commands, and imports the one that is called."""

    entries: ClassVar[Mapping[str, Entry]] = {}

    def __init__(self, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        for name, entry in self.entries.items():
            self.add_command(TyperCommand(name=name, help=entry.help, callback=None))

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Return the command that is called, its module imported now."""
        entry = self.entries.get(args[0])
        if entry is not None:
            self.commands[args[0]] = _load(args[0], entry)
        return super().resolve_command(ctx, args)


def _load(name: str, entry: Entry) -> Command:
    command = get_command(importlib.import_module(entry.module).app)
    command.name = name
    if isinstance(command, TyperGroup):
        command.help = entry.help
        command.no_args_is_help = True
    return command
