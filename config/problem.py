"""What is wrong with the settings, said so that a person can mend it."""

from __future__ import annotations

from dataclasses import dataclass

from config.errors import ConfigurationError

ENV_PREFIX = "TONGDAI_"


def variable(*path: str) -> str:
    """Return the environment variable of a setting: `variable("kafka", "topic_prefix")`."""
    return ENV_PREFIX + "_".join(path).upper()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the variable it is about, and a sentence that says what to do."""

    setting: str
    text: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.text}"


class SettingsError(ConfigurationError):
    """The settings are wrong or unsafe; `problems` lists everything that was found. Exit code 3."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n  ".join(["the settings cannot be used:", *map(str, problems)]))
        self.problems = problems
