"""What pydantic found wrong with single values, in the words of a person who sets variables."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.problem import Problem, variable

_OWN_ERROR = "value_error"


def problems_of_values(error: ValidationError) -> Iterator[Problem]:
    """Yield one problem per wrong value; values are never repeated, since they may be secrets."""
    for detail in error.errors(include_url=False, include_input=False, include_context=True):
        if not _is_unknown_variable(detail):
            yield Problem(_setting(detail["loc"]), _text(detail))


def _is_unknown_variable(detail: ErrorDetails) -> bool:
    """Say whether this is a section's unknown field, which the look at all variables reports better."""
    return detail["type"] == "extra_forbidden" and len(detail["loc"]) == 2


def _setting(location: tuple[int | str, ...]) -> str:
    """Return the variable, and the place inside its JSON: `TONGDAI_INGRESS_ZALO_APPS[0].app_id`."""
    inside = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location[2:])
    return variable(*(str(part) for part in location[:2])) + inside


def _text(detail: ErrorDetails) -> str:
    if detail["type"] == _OWN_ERROR:
        return str(detail["ctx"]["error"])
    message = detail["msg"]
    return message[0].lower() + message[1:]
