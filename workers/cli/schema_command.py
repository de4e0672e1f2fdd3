"""`tongdai schema`: the contract of the topics, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.group import command_app
from workers.cli.output import JsonOption, print_json
from workers.contract import files
from workers.contract.release import record_release

app = command_app()

CONTRACT = Path("docs/contract")


@app.callback()
def _group() -> None:
    """Make `export` a command of a group, although it is the only one."""


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = CONTRACT,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 when the folder is stale.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Also record the release, that later ones must not break.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write a JSON Schema and an example per kind of record, and the AsyncAPI document of all topics."""
    found = files.differences(out) if check else files.write(out)
    if release and not check:
        record_release(out)
    if json:
        print_json({"folder": str(out), "differences": [one._asdict() for one in found]})
    else:
        for path, what in found:
            typer.echo(f"{what}: {out / path}")
        typer.echo(_summary(len(found), out, check=check))
    if check and found:
        raise typer.Exit(1)


def _summary(count: int, out: Path, *, check: bool) -> str:
    if not count:
        return f"{out} is what the models say"
    if check:
        return f"{count} files of {out} are not what the models say; write them with: tongdai schema export"
    return f"{count} files written or removed in {out}"
