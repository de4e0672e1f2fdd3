"""The results that are kept with the code: a small file for each run, from which the page is written.

A machine with its folders may be lost; what was recorded and committed is not done again anywhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from config.errors import ConfigurationError
from faults.plan import Task

Run = Mapping[str, Any]
"""What came of a run."""

RECORD = Path(__file__).parents[1] / "docs" / "reliability"
RESULT = "result.json"
"""What a run leaves in its folder."""
OF_A_RUN = (
    "problems",
    "suspects",
    "unhealed",
    "seed",
    "commit",
    "began",
    "took_s",
    "others_share",
    "machine",
)
OF_A_PHASE = ("names", "began_ms", "sent", "missed", "unhealed")


class Record:
    """The runs that are recorded in a folder, by their tasks' names.

    Raises ConfigurationError for a file that is none of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = {file.stem: _read(file) for file in sorted(folder.glob("*.json"))}

    @property
    def runs(self) -> list[Run]:
        """What they have shown."""
        return list(self._runs.values())

    def find(self, task: Task) -> Run | None:
        """What came of it the last time; None: it was never recorded."""
        return self._runs.get(task.name)

    def keep(self, task: Task, run: Run) -> None:
        """Let this be what came of it. Whoever is killed meanwhile leaves what was recorded before."""
        small = slim(run)
        self._folder.mkdir(parents=True, exist_ok=True)
        half = self._folder / f"{task.name}.half"
        half.write_bytes(orjson.dumps(small, option=orjson.OPT_INDENT_2) + b"\n")
        half.replace(self._file(task))
        self._runs[task.name] = whole(small)

    def drop(self, task: Task) -> None:
        """Let nothing be known of it, if something was."""
        self._runs.pop(task.name, None)
        self._file(task).unlink(missing_ok=True)

    def _file(self, task: Task) -> Path:
        return self._folder / f"{task.name}.json"


def read(path: Path) -> Run:
    """A run, by its folder or its result. Raises ValueError when there is none, as it did not end."""
    file = path / RESULT if path.is_dir() else path
    try:
        found: Run = orjson.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise ValueError(f"{path} has no result: the run did not end") from error
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{file} is no result of a run: {error}") from error
    if not isinstance(found, dict) or not found.keys() >= {*OF_A_RUN, "phases", "report"}:
        raise ValueError(f"{file} is no result of a run of this version")
    return found


def slim(run: Run) -> dict[str, Any]:
    """What a reader and the table want to know of a run.

    Checks are told in few words: by invariant and title, how much each had to look at; and those that do
    not hold in full.
    """
    checks: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one in run["report"]["checks"]:
        checks[str(one["invariant"])][one["title"]] = one["checked"]
    return {
        "passed": not run["problems"],
        **{name: run[name] for name in OF_A_RUN},
        "phases": [_slim_phase(phase) for phase in run["phases"]],
        "checks": checks,
        "violated": [one for one in run["report"]["checks"] if one["holds"] is False],
    }


def whole(small: Mapping[str, Any]) -> Run:
    """The same as a run has left it, but for what nobody reads."""
    violated = {one["title"]: one for one in small["violated"]}
    checks = [
        violated.get(title) or _check(int(invariant), title, checked)
        for invariant, titles in small["checks"].items()
        for title, checked in titles.items()
    ]
    return {**small, "report": {"checks": checks}}


def _slim_phase(phase: Mapping[str, Any]) -> dict[str, Any]:
    drained = phase["drained"]
    return {
        **{name: phase[name] for name in OF_A_PHASE},
        "faults": [{"name": one["name"], "hit": one["hit"]} for one in phase["faults"]],
        "recoveries": [{"seconds": one["seconds"]} for one in phase["recoveries"]],
        "drained": {"seconds": drained["seconds"]} if drained else None,
    }


def _check(invariant: int, title: str, checked: int) -> dict[str, Any]:
    """One that holds, as far as anybody knows."""
    holds = True if checked else None
    return {"invariant": invariant, "title": title, "checked": checked, "holds": holds, "phase": None}


def _read(file: Path) -> Run:
    try:
        return whole(orjson.loads(file.read_bytes()))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"{file} is no recorded run: {error!r}") from error
