"""The last recorded ratios, in a file of the repository, with where and when they were found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from bench.failures import BenchError
from bench.machine import Machine
from bench.ratios import Spread

RECORDED = Path(__file__).with_name("recorded.json")


class Record(BaseModel):
    """The file: the pairs of each ratio, and what they depend on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ratios: Mapping[str, tuple[float, ...]]
    machine: Machine
    commit: str
    at: datetime
    messages: int

    def spreads(self) -> dict[str, Spread]:
        """The same as they are compared."""
        return {name: Spread(pairs) for name, pairs in self.ratios.items()}


def read_record(path: Path = RECORDED) -> Record | None:
    """None: nothing has been recorded. Raises BenchError for a file that is none."""
    if not path.exists():
        return None
    try:
        return Record.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BenchError(
            f"{path} is no record of ratios; write another one with --record: {error}"
        ) from error


def write_record(record: Record, path: Path = RECORDED) -> None:
    """Let `record` be what is compared with from now on."""
    path.write_bytes(orjson.dumps(record.model_dump(mode="json"), option=orjson.OPT_INDENT_2) + b"\n")
