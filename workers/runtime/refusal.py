"""Why a record is refused, in words a person understands and without any of the record's texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas.deadletter import Reason
from schemas.envelope import Kind, UnreadableEnvelopeError, read_kind

M = TypeVar("M", bound=BaseModel)

PROBLEMS_MAX = 5
NAME_CHARS_MAX = 60


class RefusedError(Exception):
    """A record that goes to deadletter: it has no other effect."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


def kind_of(headers: Iterable[tuple[str, bytes]], topic: str) -> Kind:
    """The kind that a record's headers name. Raises RefusedError when they name none."""
    try:
        return read_kind(headers, topic)
    except UnreadableEnvelopeError as error:
        raise RefusedError("unreadable_envelope", str(error)) from error


def value_of(model: type[M], value: bytes) -> M:
    """A record's value as what it should be. Raises RefusedError when it is not."""
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        raise RefusedError("unreadable", problems(error)) from error


def problems(error: ValidationError) -> str:
    """The problems that pydantic found, as `field: problem; …`, values left out."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{place(problem['loc'])}: {problem['msg']}" for problem in found[:PROBLEMS_MAX]]
    if len(found) > PROBLEMS_MAX:
        told.append(f"and {len(found) - PROBLEMS_MAX} more")
    return "; ".join(told)


def place(path: tuple[int | str, ...]) -> str:
    """Where in the value, e.g. `attachments.0.url`; a stranger's names are cut and made printable."""
    if not path:
        return "the value"
    return ".".join(str(part)[:NAME_CHARS_MAX].encode("unicode_escape").decode() for part in path)
