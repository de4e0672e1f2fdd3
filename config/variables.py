"""The `TONGDAI_` variables as they were found: in the environment or on a line of `.env`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream
from pydantic_settings import BaseSettings

from config.problem import ENV_PREFIX, Problem, variable
from config.section import Section


@dataclass(frozen=True)
class Variables:
    """Where each `TONGDAI_` variable with a value stands, by its upper-case name; the environment wins."""

    places: dict[str, str]
    problems: tuple[Problem, ...]

    @classmethod
    def read(cls, env_file: Path) -> Variables:
        """Read the environment and a `.env` file, which may be missing."""
        places, problems = _read_file(env_file)
        places |= {
            name.upper(): "environment"
            for name, value in os.environ.items()
            if value and name.upper().startswith(ENV_PREFIX)
        }
        return cls(places, tuple(problems))


def _read_file(env_file: Path) -> tuple[dict[str, str], list[Problem]]:
    places: dict[str, str] = {}
    problems: list[Problem] = []
    if not env_file.is_file():
        return places, problems
    try:
        with env_file.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        return places, [Problem(str(env_file), f"cannot be read: {error}")]
    for binding in bindings:
        place = f"{env_file} line {binding.original.line}"
        if binding.error:
            problems.append(Problem(place, "cannot be understood: write NAME=value"))
        elif binding.key and binding.value and binding.key.upper().startswith(ENV_PREFIX):
            places[binding.key.upper()] = place
    return places, problems


def setting_paths(settings: type[BaseSettings]) -> Iterator[tuple[str, ...]]:
    """Yield the path of every setting: `("profile",)`, `("kafka", "bootstrap_servers")`, …"""
    for name, field in settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from ((name, inner) for inner in field.annotation.model_fields)
        else:
            yield (name,)


def unknown_variables(variables: Variables, settings: type[BaseSettings]) -> Iterator[Problem]:
    """Yield a problem for each variable that sets nothing: a mistyped name must not be ignored."""
    known = [variable(*path) for path in setting_paths(settings)]
    for name, place in variables.places.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            advice = f"did you mean {near[0]}?" if near else "`tongdai config show` lists all; remove it"
            yield Problem(name, f"is no setting ({place}): {advice}")
