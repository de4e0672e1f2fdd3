"""`tongdai pages release`: a page that its workspace has no longer is given up."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from config.settings import Settings
from workers.cli.consent import ask
from workers.cli.start import start_tool
from workers.runtime.postgres import connected
from workers.workspace.release import Standing, lock_pages, standing_of
from workers.workspace.release import release as give_up


def release(
    page: Annotated[str, typer.Argument(help="The page's id, channel:account.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Give a page up that is in no workspace file any more: what is written to it is refused from then on.

    Shows what that means, and asks. Exits with 2 when its desk still has it, or nobody does.
    """
    asyncio.run(_release(start_tool(), page, yes=yes))


async def _release(settings: Settings, page: str, *, yes: bool) -> None:
    async with connected(settings, "tongdai pages") as connection:
        standing = await standing_of(connection, page)
        typer.echo(preview(page, standing))
        ask("Give it up?", "say --yes", yes=yes)
        await lock_pages(connection, standing.workspace)
        await standing_of(connection, page)  # somebody may have applied a file while a person was asked
        await give_up(connection, standing.workspace, [page])
    typer.echo(f"{page} is given up")


def preview(page: str, standing: Standing) -> str:
    """What giving a page up means, a line each."""
    place = f"the desk {standing.desk} of the workspace {standing.workspace}"
    fate = (
        f"its {standing.conversations} conversations stay with {place}, to be read: "
        "that desk alone can have the page again"
        if standing.conversations
        else "it has no conversations: any workspace can have it"
    )
    return "\n".join(
        (
            f"page {page}: reserved for {place}, which does not have it",
            "  (a command of tongdai apply that still waits may give it the page: see tongdai lag)",
            "  ! what its customers write is refused: dead letters, which can be replayed for 30 days",
            "  ! its token, and how its e-mails and calls are made, are forgotten: what waits is not sent",
            f"  ! {fate}",
        )
    )
