"""The verdicts that are kept with the code: a small file for each trial, from which the table is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from config.errors import ConfigurationError
from faults.mutations import Mutant
from faults.table import markdown
from faults.trial import Trial
from faults.verdict import Verdict

Kept = Mapping[str, Any]
"""What was asked of a trial, its verdict, which version was tried, and when it began."""

RECORD = Path(__file__).parents[1] / "docs" / "reliability" / "mutants"
FIELDS = ("mutant", "digest", "faults", "seed", "messages", "commit", "began", "is_right", "said")
HEAD = ("what was broken", "faults", "seed", "messages", "what caught it", "when")


class Verdicts:
    """Those that are recorded in a folder, by their trials' names.

    Raises ConfigurationError for a file that is none of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = {file.stem: _read(file) for file in sorted(folder.glob("*.json"))}

    def find(self, trial: Trial) -> Kept | None:
        """What came of it the last time; None: it was never recorded, or was another one then."""
        kept = self._kept.get(trial.name)
        return kept if kept and kept.items() >= trial.asked.items() else None

    def keep(self, trial: Trial, verdict: Verdict, commit: str, began: str) -> Kept:
        """Let this be what came of it. Whoever is killed meanwhile leaves what was recorded before."""
        kept = {**trial.asked, "commit": commit, "began": began, **asdict(verdict)}
        self._folder.mkdir(parents=True, exist_ok=True)
        half = self._folder / f"{trial.name}.half"
        half.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2) + b"\n")
        half.replace(self._folder / f"{trial.name}.json")
        self._kept[trial.name] = kept
        return kept

    def table(self, mutants: Iterable[Mutant]) -> list[str]:
        """Markdown: a line for each trial of these mutants as they are now, in their order."""
        rows, untried = [], []
        for mutant in mutants:
            found = [one for one in self._kept.values() if _is_of(one, mutant)]
            rows += [_cells(one) for one in found]
            untried += [] if found else [mutant.name]
        lines = [markdown(cells) for cells in (HEAD, ["---"] * len(HEAD), *rows)]
        return [*lines, *(["", f"Not tried as they are now: {'; '.join(untried)}."] if untried else [])]


def _is_of(kept: Kept, mutant: Mutant) -> bool:
    return kept.items() >= mutant.told.items()


def _cells(kept: Kept) -> Sequence[str]:
    faults = " ".join(f"`{name}`" for name in dict.fromkeys(kept["faults"].split(",")))
    said, when = kept["said"].replace("|", "/"), f"{kept['began'][:10]} {kept['commit']}"
    return kept["mutant"], faults, str(kept["seed"]), f"{kept['messages']:,}", said, when


def _read(file: Path) -> Kept:
    try:
        found: Kept = orjson.loads(file.read_bytes())
        return {name: found[name] for name in FIELDS}
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{file} is no recorded verdict: {error!r}") from error
