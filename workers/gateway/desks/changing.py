"""What is sent of a change: the version that it was written for, and parts that say nothing unknown."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel, ValidationError

from schemas.commands import RosterParts
from workers.gateway.problem import invalid
from workers.gateway.rights import Call

VERSION_PATTERN = r'^"[0-9]{1,18}"$'

M = TypeVar("M", bound=BaseModel)
IfMatch = Annotated[
    str,
    Header(
        pattern=VERSION_PATTERN,
        description="The `ETag` of what you have read of the desk. When anything of its roster has changed "
        "since then, nothing is changed, and the answer (412) names the version that it has now.",
    ),
]


def _version(if_match: IfMatch) -> int:
    return int(if_match.strip('"'))


Version = Annotated[int, Depends(_version)]


async def exactly(request: Request, said: M) -> M:
    """What was sent, if each field of it, however deep, is one that is known. Raises ApiError 422.

    Records of ours may have more fields than their reader knows; what people send may not: who mistypes a
    condition would get a rule without it.
    """
    try:
        return type(said).model_validate_json(await request.body(), extra="forbid")
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        raise invalid([{**one, "loc": ("body", *one["loc"])} for one in errors]) from error


def named(said: M, id_: str) -> M:
    """What was sent, if it is what the path names. Raises ApiError 422."""
    if getattr(said, "id", id_) != id_:
        raise invalid([{"loc": ("body", "id"), "msg": "This is not the id in the path"}])
    return said


def call_of(parts: RosterParts) -> Call:
    """What changing them is: rules are the affair of pages' admins too, all else of the workspace's alone."""
    removed = parts.removed
    others = parts.agents, parts.departments, parts.pages, removed.agents, removed.departments
    return "change_desk" if any(others) or parts.policy is not None else "change_rules"
