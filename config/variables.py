"""The `TONGDAI_` variables as they were found: in the environment or on a line of `.env`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Original, parse_stream
from pydantic_settings import BaseSettings

from config.problem import ENV_PREFIX, Problem, SettingsError, variable
from config.section import Section


@dataclass(frozen=True)
class Variables:
    """Where each `TONGDAI_` variable with a value stands, by its upper-case name; the environment wins."""

    places: dict[str, str]
    problems: tuple[Problem, ...]

    @classmethod
    def read(cls, env_file: Path) -> Variables:
        """Read the environment and a `.env` file, which may be missing; `SettingsError` if it is no text."""
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
        raise SettingsError((Problem(str(env_file), f"cannot be read: {error}"),)) from error
    for binding in bindings:
        place = f"{env_file} line {_line(binding.original)}"
        name = (binding.key or "").upper()
        if binding.error or (name.startswith(ENV_PREFIX) and binding.value is None):
            problems.append(Problem(place, "cannot be understood: write NAME=value"))
        elif name.startswith(ENV_PREFIX) and binding.value:
            places[name] = place
    return places, problems


def _line(original: Original) -> int:
    """Return the line on which an assignment stands: the empty lines before it belong to it, too."""
    text = original.string
    return original.line + text[: len(text) - len(text.lstrip())].count("\n")


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
    bare = [name.removeprefix(ENV_PREFIX) for name in known]
    for name, place in variables.places.items():
        if name not in known:
            # Without the prefix that all share, or any name would seem near.
            near = difflib.get_close_matches(name.removeprefix(ENV_PREFIX), bare, n=1, cutoff=0.75)
            advice = (
                f"did you mean {ENV_PREFIX}{near[0]}?"
                if near
                else "`tongdai config show` lists all; remove it"
            )
            yield Problem(name, f"is no setting ({place}): {advice}")
