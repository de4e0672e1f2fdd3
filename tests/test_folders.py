"""A folder imports only what stands before it in CONTRIBUTING's list; the checker imports nothing of ours."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`((?:workers/)?[a-z]+)/`")
ROOMS = ("schemas", "config", "workers/*", "checker", "bench", "faults")
FOLDERS = {str(one.parent.relative_to(ROOT)) for room in ROOMS for one in ROOT.glob(f"{room}/__init__.py")}


def listed(page: str, heading: str) -> list[str]:
    """The folders that a chapter names, in its order."""
    chapter = (
        (ROOT / page).read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    )
    return [name for name in dict.fromkeys(NAMED.findall(chapter)) if name in FOLDERS]


def imports(folder: str) -> Iterator[tuple[str, str]]:
    """Modules of a folder, each with another folder that it imports."""
    for module in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_bytes())):
            match node:
                case ast.ImportFrom(module=str(name), names=names):
                    found = [f"{name}.{one.name}" for one in names]
                case ast.Import(names=names):
                    found = [one.name for one in names]
                case _:
                    continue
            for name in found:
                other = "/".join(name.split(".")[: 2 if name.startswith("workers.") else 1])
                if other in FOLDERS - {folder}:
                    yield str(module.relative_to(ROOT)), other


def test_both_lists_name_all_folders_in_one_order() -> None:
    order = listed("CONTRIBUTING.md", "Where things are")
    assert order == listed("docs/architecture.md", "Folders")
    assert set(order) == FOLDERS


def test_a_folder_imports_only_what_stands_before_it() -> None:
    order = listed("CONTRIBUTING.md", "Where things are")
    for number, folder in enumerate(order):
        before = () if folder == "checker" else order[:number]
        assert [(module, other) for module, other in imports(folder) if other not in before] == []
