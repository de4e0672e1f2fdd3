"""A webhook's body as JSON, with limits: what cannot be carried on is refused here, with a sentence."""

from __future__ import annotations

import json
from typing import NoReturn

import orjson

from schemas.base import Json
from workers.channels.problem import MalformedError

NESTING_MAX = 100
"""Levels of objects and lists: below the 200 at which readers of our records give up."""

_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1


def parse_document(body: bytes) -> Json:
    """`body` as JSON. Raises MalformedError when it is none, or is nested too deeply."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        document = _parse_lenient(body, error)
    # Brackets bound the depth: only a body with many of them has to be walked.
    if body.count(b"{") + body.count(b"[") > NESTING_MAX and _depth(document) > NESTING_MAX:
        raise MalformedError(f"The body is nested deeper than {NESTING_MAX} levels.")
    return document


def _parse_lenient(body: bytes, strict_error: orjson.JSONDecodeError) -> Json:
    """Accepts what orjson refuses although platforms may send it: text cut inside a surrogate pair."""
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
        return _carriable(document)
    except RecursionError as error:
        raise MalformedError(f"The body is nested deeper than {NESTING_MAX} levels.") from error
    except ValueError as error:
        raise MalformedError(f"The body is not JSON: {strict_error}.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _carriable(value: Json) -> Json:
    """`value` with lone surrogates replaced by U+FFFD, and integers beyond 64 bits as text."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case int() if not _INT64_MIN <= value <= _UINT64_MAX:
            return str(value)
        case list():
            return [_carriable(each) for each in value]
        case dict():
            return {_carriable(key): _carriable(each) for key, each in value.items()}
    return value


def _depth(document: Json) -> int:
    """How deeply `document` is nested, counted no further than one above the limit."""
    depth, level = 0, [document]
    while depth <= NESTING_MAX:
        level = [value for value in level if isinstance(value, (dict, list))]
        if not level:
            return depth
        depth += 1
        level = [each for value in level for each in (value.values() if isinstance(value, dict) else value)]
    return depth
