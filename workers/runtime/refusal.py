"""Why a record is refused, in words a person understands and without any of the record's texts."""

from __future__ import annotations

from pydantic import ValidationError

from schemas.deadletter import Reason

PROBLEMS_MAX = 5
NAME_CHARS_MAX = 60


class RefusedError(Exception):
    """A record that goes to deadletter: it has no other effect."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


def problems(error: ValidationError) -> str:
    """The problems that pydantic found, as `field: problem; …`, values left out."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{_place(problem['loc'])}: {problem['msg']}" for problem in found[:PROBLEMS_MAX]]
    if len(found) > PROBLEMS_MAX:
        told.append(f"and {len(found) - PROBLEMS_MAX} more")
    return "; ".join(told)


def _place(path: tuple[int | str, ...]) -> str:
    """Where in the value, e.g. `attachments.0.url`; a stranger's names are cut and made printable."""
    if not path:
        return "the value"
    return ".".join(str(part)[:NAME_CHARS_MAX].encode("unicode_escape").decode() for part in path)
