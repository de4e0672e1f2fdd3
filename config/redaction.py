"""Keeps message text and secrets out of the log, and commands to terminals, whoever tries to write them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from config.error_text import told
from config.printable import printable

MASK = "**********"
MAX_DEPTH = 6
MAX_STRING_CHARS = 8_192
"""Longer strings are cut: a line of the log is for reading, and some collectors refuse long ones."""

_HIDDEN_KEYS = frozenset(
    {"text", "raw", "body", "payload", "password", "token", "secret", "dsn", "authorization", "cookie"}
)
_HIDDEN_ENDINGS = tuple(f"_{key}" for key in _HIDDEN_KEYS)
_URI_PASSWORD = re.compile(r"(?P<user>\b[a-z][a-z0-9+.-]{0,31}://[^\s:/@]{0,256}):[^\s@/]+@", re.IGNORECASE)
_PARAMETER_PASSWORD = re.compile(r"(?P<name>\b(?:ssl)?password\s*=\s*)(?:'[^']*'|[^\s&'\"]+)", re.IGNORECASE)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask what stands under a telling key, and passwords inside strings; a processor of structlog."""
    for key in list(event):
        event[key] = _redacted(key, event[key], depth=0)
    if isinstance(event.get("event"), str):
        event["event"] = printable(event["event"])  # a console shows it as it is: no line may begin within it
    return event


def _redacted(key: str, value: object, *, depth: int) -> object:
    """Return the value without secrets; nesting deeper than `MAX_DEPTH` is not shown at all."""
    if _is_hidden(key) and not isinstance(value, bool | int | float | None):
        return MASK
    if isinstance(value, str):
        return redact_string(value)
    if isinstance(value, BaseException):
        return redact_string(told(value))
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _redacted_inside(value, depth=depth)
    return value


def _redacted_inside(value: Mapping[Any, Any] | Collection[Any], *, depth: int) -> object:
    if depth >= MAX_DEPTH:
        return "<nested too deeply>"
    if isinstance(value, Mapping):
        return {name: _redacted(str(name), inner, depth=depth + 1) for name, inner in value.items()}
    return [_redacted("", inner, depth=depth + 1) for inner in value]


def _is_hidden(key: str) -> bool:
    lower = key.lower()
    return lower in _HIDDEN_KEYS or lower.endswith(_HIDDEN_ENDINGS)


def redact_string(value: str) -> str:
    """Return the string printable, with passwords of URIs and of `password=…` masked, cut at its limit."""
    # Twice the limit is looked at, so that no password at the cut escapes, and no string takes long.
    masked = _URI_PASSWORD.sub(rf"\g<user>:{MASK}@", value[: 2 * MAX_STRING_CHARS])
    masked = printable(_PARAMETER_PASSWORD.sub(rf"\g<name>{MASK}", masked), lines=True)
    return masked if len(masked) <= MAX_STRING_CHARS else f"{masked[:MAX_STRING_CHARS]}… (cut)"
