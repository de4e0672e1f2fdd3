"""What becomes of what people ask, at the desk as in intake: carried out or refused, once per key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

KEPT = timedelta(hours=24)
"""How long an idempotency key is remembered; after that it is a new one."""
KEY_REUSED = "key_reused"
"""The code of a refusal that does not take the place of the outcome that has the key."""

Result = dict[str, Any]
"""What one that was carried out tells its sender."""


class Refusal(NamedTuple):
    """Why it is not carried out: a code for programs, a sentence for people."""

    code: str
    sentence: str
    allowed: tuple[str, ...] = ()
    details: Mapping[str, Any] = MappingProxyType({})
