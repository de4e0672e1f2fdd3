"""What is run from a checkout alone: what it needs beyond the workers comes with the extra `dev`."""

from __future__ import annotations

import importlib
from typing import Any

from config.errors import UsageError

WHAT = {"bench": "the benchmarks", "faults": "campaigns"}


def part(name: str) -> Any:  # noqa: ANN401  a module
    """Import a module of the benchmarks or the campaigns. Raises `UsageError` naming what is not there."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        what = WHAT[name.partition(".")[0]]
        raise UsageError(
            f"{what} need {error.name}: run them from a checkout set up with `make setup`"
        ) from error
