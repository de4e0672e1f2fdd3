"""Loads a workspace file: all its mistakes at once, each with its line and column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.ids import DEFAULT_DESK
from workers.workspace.mistake import Mistake, UnreadableFileError, WorkspaceFileError
from workers.workspace.nodes import FILE_BYTES_MAX, Node, UnreadableYamlError, parse
from workers.workspace.page_reader import read_pages
from workers.workspace.people_reader import read_agents, read_departments
from workers.workspace.policy_reader import read_policy
from workers.workspace.reader import Reader
from workers.workspace.rule_reader import read_rules
from workers.workspace.scope import Names, Scope, Taken
from workers.workspace.workspace import DeskRoster, Workspace

DESKS_MAX = 100
_ROSTER = ("agents", "departments", "pages", "policy", "rules")


def load_workspace(path: Path) -> Workspace:
    """Return what the file describes.

    Raises WorkspaceFileError with every mistake in it, UnreadableFileError when it is not there.
    """
    reader = Reader()
    try:
        workspace = _workspace(reader, parse(_text(path)))
    except UnreadableYamlError as error:
        raise WorkspaceFileError(path, [error.mistake]) from error
    if reader.mistakes or workspace is None:
        raise WorkspaceFileError(path, reader.mistakes)
    return workspace


def _text(path: Path) -> str:
    """Return the file's text, refusing what is unreadable or far too large."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        mistake = Mistake(line, 1, "this is not UTF-8", "save the file as UTF-8")
        raise WorkspaceFileError(path, [mistake]) from error
    if len(content) > FILE_BYTES_MAX:
        mistake = Mistake(1, 1, "the file is too large", f"at most {FILE_BYTES_MAX} bytes")
        raise WorkspaceFileError(path, [mistake])
    return text


def _workspace(reader: Reader, root: Node) -> Workspace | None:
    """Return the workspace; its roster stands at the top (desk `main`) or under `desks`."""
    fields = reader.fields(root, "the file", ("workspace",), ("desks", *_ROSTER))
    id_ = reader.slug(fields.get("workspace"), "the workspace's id")
    taken = Taken()
    if "desks" not in fields:
        desks = [_desk(reader, DEFAULT_DESK, fields, taken)]
    else:
        for name in fields.keys() & set(_ROSTER):
            reader.note(
                fields[name], f"{name} stand beside desks", f"write {name} under the desk they belong to"
            )
        desks = list(_desks(reader, fields["desks"], taken))
    return Workspace(id_, tuple(desks)) if id_ else None


def _desks(reader: Reader, node: Node, taken: Taken) -> Iterator[DeskRoster]:
    names = Names("desk")
    for item in reader.items(node, "desks", limit=DESKS_MAX, at_least=1):
        fields = reader.fields(item, "a desk", ("id",), _ROSTER)
        id_ = reader.slug(fields.get("id"), "a desk's id")
        if id_:
            names.add(reader, fields["id"], id_)
        yield _desk(reader, id_ or DEFAULT_DESK, fields, taken)


def _desk(reader: Reader, id_: str, fields: dict[str, Node], taken: Taken) -> DeskRoster:
    """Return one desk's roster: agents first, since all the rest names them."""
    scope = Scope(taken)
    return DeskRoster(
        id=id_,
        agents=tuple(read_agents(reader, fields.get("agents"), scope)),
        departments=tuple(read_departments(reader, fields.get("departments"), scope)),
        pages=tuple(read_pages(reader, fields.get("pages"), scope)),
        policy=read_policy(reader, fields.get("policy"), scope),
        rules=tuple(read_rules(reader, fields.get("rules"), scope)),
    )
