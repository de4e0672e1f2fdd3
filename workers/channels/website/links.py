"""Links to files in lines that a visitor is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from workers.channels.website.transcript import Line
from workers.files import rows
from workers.files.files import PUBLIC_PATH, Files
from workers.files.link import Content


async def add_links(
    pool: Any,  # noqa: ANN401 - asyncpg's
    files: Files | None,
    lines: Sequence[Line],
    workspace_of: Callable[[UUID], str],
) -> None:
    """Say of each attachment that is kept here where its file is. Raises what Postgres raises.

    Args:
        workspace_of: whose a conversation is.
    """
    if files is None:
        return
    named: dict[str, list[tuple[Line, dict[str, Any]]]] = {}
    for line in lines:
        for each in (line.shown or {}).get("attachments", ()):
            if "file" in each:
                named.setdefault(workspace_of(line.conversation), []).append((line, each))
    for workspace, some in named.items():
        found = await rows.read(pool, workspace, {each["file"] for _, each in some})
        for line, each in some:
            file = found.get(each["file"])
            if file is not None and file.is_for(line.conversation):
                each["url"] = link_to(files, file.content)
                each["thumbnail"] = file.thumbnail and link_to(files, file.thumbnail)


def link_to(files: Files, content: Content) -> str:
    """Where a browser reads it, as seen from the ingress."""
    return f"{PUBLIC_PATH}/{files.links.token(content)}"
