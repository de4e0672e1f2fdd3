"""Reads what the desks of a workspace have now."""

from __future__ import annotations

from config.errors import TongdaiError
from config.settings import Settings
from workers.runtime.postgres import connected
from workers.workspace.present import present_desks, present_roster
from workers.workspace.workspace import Workspace


async def read_workspace(settings: Settings, id_: str) -> Workspace:
    """All of it, as it was at one moment.

    Raises TongdaiError when there is no such workspace, DependencyError when Postgres does not answer.
    """
    async with (
        connected(settings, "tongdai export") as connection,
        connection.transaction(isolation="repeatable_read"),
    ):
        desks = await present_desks(connection, id_)
        if not desks:
            raise TongdaiError(f"the workspace {id_} has no desk with anything in it: check its id")
        return Workspace(id_, tuple([await present_roster(connection, id_, desk) for desk in desks]))
