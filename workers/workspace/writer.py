"""Writes a workspace file that says what desks have: read again, it changes nothing."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import BaseModel

from schemas.definitions import Page
from schemas.ids import DEFAULT_DESK, account_of, channel_of
from workers.workspace.workspace import DeskRoster, Workspace

WIDTH_CHARS = 110


def workspace_text(workspace: Workspace) -> str:
    """The file, without what is not kept: references to pages' secrets. Who is on leave is not its affair."""
    desks = {desk.id: _desk(desk) for desk in workspace.desks}
    if desks.keys() <= {DEFAULT_DESK}:
        said = desks.get(DEFAULT_DESK, {})
    else:
        said = {"desks": [{"id": id_, **desk} for id_, desk in desks.items()]}
    text: str = yaml.safe_dump(
        {"workspace": workspace.id, **said},
        allow_unicode=True,
        default_flow_style=None,
        sort_keys=False,
        width=WIDTH_CHARS,
    )
    return text


def _desk(roster: DeskRoster) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "agents": [_said(agent, {"on_leave"}) for agent in roster.agents],
        "departments": [_said(department) for department in roster.departments],
        "pages": [_page(page) for page in roster.pages],
        "policy": _said(roster.policy),
        "rules": [_said(rule) for rule in roster.rules],
    }
    return {name: part for name, part in parts.items() if part}


def _page(page: Page) -> dict[str, Any]:
    return {"channel": channel_of(page.id), "account": account_of(page.id), **_said(page, {"id"})}


def _said(definition: BaseModel, without: set[str] | None = None) -> dict[str, Any]:
    """What is not as usual."""
    said = definition.model_dump(mode="json", exclude_defaults=True, exclude=without)
    return {name: _whole(value) for name, value in said.items() if value != {}}


def _whole(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Numbers as the file has them."""
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
