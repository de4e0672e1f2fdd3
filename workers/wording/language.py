"""What a language's module says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

UNKNOWN = "unknown"
"""The sentence for a line that a newer version wrote."""


class Language(NamedTuple):
    """Words and sentences; `{agent}` is a name or pronoun, `{Agent}` the same at the beginning."""

    you: str
    system: str
    operator: str
    service: str
    """With `{id}`."""
    care: Mapping[str, str]
    outcomes: Mapping[str, str]
    sentences: Mapping[str, str]
    """By the keys of workers.wording.choice."""
