"""docs/workspace.md: its example is a workspace file."""

from __future__ import annotations

import re
from pathlib import Path

from workers.workspace.loader import load_workspace

PAGE = Path(__file__).parents[2] / "docs" / "workspace.md"


def test_the_example_can_be_applied(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "workspace.yaml"
    path.write_text(example, encoding="utf-8")
    assert load_workspace(path).id == "hoa-sen"
