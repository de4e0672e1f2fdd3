"""The OpenAPI document as it is written, which is read sooner than made; that it is not stale is a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

WRITTEN = Path(__file__).parents[2] / "docs" / "api" / "openapi.json"
DOCUMENT: dict[str, Any] = orjson.loads(WRITTEN.read_bytes())
