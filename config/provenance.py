"""Every setting with its value, fit for printing, and where the value came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.problem import variable
from config.profile import PROFILES
from config.settings import ENV_FILE, Settings
from config.variables import Variables, setting_paths


@dataclass(frozen=True)
class Provenance:
    """One setting: its variable, its value without secrets, and its origin.

    `source` is `environment`, `.env line 3`, `profile local` or `default`.
    """

    variable: str
    value: Any
    source: str


def provenance_of(settings: Settings, env_file: Path = ENV_FILE) -> list[Provenance]:
    """Return all settings, section by section; `settings` must come from `load_settings(env_file)`."""
    values = settings.model_dump(mode="json")  # masks every secret
    values["postgres"]["dsn"] = settings.postgres.masked_dsn
    places = Variables.read(env_file).places
    rows = []
    for path in setting_paths(Settings):
        value = values
        for part in path:
            value = value[part]
        rows.append(Provenance(variable(*path), value, _source(path, settings, places)))
    return rows


def _source(path: tuple[str, ...], settings: Settings, places: dict[str, str]) -> str:
    place = places.get(variable(*path))
    if place is not None:
        return place
    section, *field = path
    if field and field[0] in PROFILES[settings.profile].get(section, {}):
        return f"profile {settings.profile}"
    return "default"
