"""What clients are told of their commands."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from schemas.base import Moment
from schemas.outcomes import Done
from workers.gateway.problem import ApiError, Problem
from workers.gateway.waiting import Outcome

API = "/api/v1"
MOVED = "moved"
"""Refused since `If-Match` named an older version."""


class Carried(BaseModel):
    """It was carried out."""

    command: str
    idempotency_key: str
    at: Moment
    result: dict[str, Any] = Field(default_factory=dict)


class Taken(BaseModel):
    """It was taken and will be decided, but that is not known yet: ask at `status_url`, or repeat it."""

    idempotency_key: str
    status_url: str


class Answer(NamedTuple):
    """The same over a socket: the status that HTTP would have."""

    status: int
    body: Carried | Taken | Problem

    def text(self, id_: str) -> str:
        """What the socket is sent in answer to the call `id_`."""
        named = orjson.dumps(id_).decode()
        return f'{{"re":{named},"status":{self.status},"body":{self.body.model_dump_json()}}}'


def refusal(outcome: Outcome) -> ApiError | None:
    """The error that tells of a refused command; none: it was carried out."""
    if isinstance(outcome, Done):
        return None
    return ApiError(
        HTTPStatus.PRECONDITION_FAILED if outcome.code == MOVED else HTTPStatus.CONFLICT,
        outcome.code,
        outcome.sentence,
        allowed=outcome.allowed,
        details={"command": outcome.command, **outcome.details},
    )


def carried(outcome: Outcome) -> Carried:
    """What is told of a command that was carried out."""
    result = outcome.result if isinstance(outcome, Done) else {}
    return Carried(
        command=outcome.command, idempotency_key=outcome.idempotency_key, at=outcome.at, result=result
    )


def taken(key: str) -> Taken:
    """What is told of a command whose outcome is not known in time."""
    return Taken(idempotency_key=key, status_url=f"{API}/outcomes/{quote(key, safe='')}")


def answer_of(outcome: Outcome | None, key: str) -> Answer:
    """The answer to a command."""
    if outcome is None:
        return Answer(status=HTTPStatus.ACCEPTED, body=taken(key))
    refused = refusal(outcome)
    if refused is not None:
        return answer_of_error(refused)
    return Answer(status=HTTPStatus.OK, body=carried(outcome))


def answer_of_error(error: ApiError) -> Answer:
    """The answer to what was refused here."""
    return Answer(status=error.status, body=error.problem)


def response_of(outcome: Outcome | None, key: str) -> Response:
    """The HTTP answer to a command. Raises ApiError when it was refused."""
    if outcome is None:
        told = taken(key)
        headers = {"location": told.status_url, "retry-after": "1"}
        return Response(told.model_dump_json(), HTTPStatus.ACCEPTED, headers, "application/json")
    refused = refusal(outcome)
    if refused is not None:
        raise refused
    return Response(carried(outcome).model_dump_json(), HTTPStatus.OK, media_type="application/json")
