"""What people call the things that log lines name by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_NONE: Mapping[str, str] = MappingProxyType({})


class Names(NamedTuple):
    """Names by id, as their caller has resolved them; what is not there is called by its id."""

    agents: Mapping[str, str] = _NONE
    departments: Mapping[str, str] = _NONE
    rules: Mapping[str, str] = _NONE
    owners: Mapping[str, str] = _NONE
    """The agent who owns a rule, by the rule's id: for lines that do not say who did then."""
    reasons: Mapping[str, str] = _NONE
