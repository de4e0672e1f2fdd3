"""The contract's folder as the tests read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from schemas.catalogue import RECORDS
from schemas.envelope import Kind

FOLDER = Path(__file__).parents[2] / "docs" / "contract"
DATA = Path(__file__).parent / "data"
RELEASES = sorted((FOLDER / "released").glob("*"))
BY_NAME = {f"{kind.topic}.{kind.what}.v1.json": kind for kind in RECORDS}


def read(path: Path) -> Any:  # noqa: ANN401
    """Return a JSON or YAML file's content."""
    text = path.read_text(encoding="utf-8")
    return yaml.load(text, yaml.CSafeLoader) if path.suffix == ".yaml" else json.loads(text)


def file_name(kind: Kind) -> str:
    """Return the name of a kind's schema and example."""
    return f"{kind.topic}.{kind.what}.v1.json"
