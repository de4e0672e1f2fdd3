"""Every error of the gateway in one shape: RFC 9457, `application/problem+json`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, NamedTuple

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from workers.channels.problem import MEDIA_TYPE, TYPE_PREFIX, title_of
from workers.runtime.postgres import DATABASE_ERRORS

PLACE_CHARS_MAX = 200
_CODES = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large", HTTPStatus.REQUEST_TIMEOUT: "too_slow"}


class Problem(BaseModel):
    """Why a request was not carried out."""

    type: str
    """`urn:tongdai:problem:` and the code."""
    title: str
    status: int
    detail: str
    """A sentence for people."""
    code: str
    """For programs: `taken`, `forbidden`, …"""
    allowed: tuple[str, ...] = ()
    """What would be allowed instead."""
    details: dict[str, Any] = Field(default_factory=dict)
    """What programs show, e.g. of `taken`: `winner`, `earlier_ms`."""


Responses = dict[int | str, dict[str, Any]]
"""What a path may answer, in the words of its description."""


def refusals(*statuses: int) -> Responses:
    """That a path may refuse with each of these."""
    return {status: {"model": Problem, "description": title_of(status)} for status in statuses}


class Noted(NamedTuple):
    """What the audit says of a refusal, and the client is not told."""

    code: str
    workspace: str = ""
    actor: str = ""
    proven: bool = False
    """Whether it is certain that it was he, and of this workspace; otherwise somebody only said so."""


class ApiError(Exception):
    """A request is refused; `sentence` says what is wrong and what to do."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        sentence: str,
        *,
        allowed: Sequence[str] = (),
        details: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
        noted: Noted | None = None,
    ) -> None:
        super().__init__(sentence)
        self.noted = noted or Noted(code)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        self.problem = Problem(
            type=TYPE_PREFIX + code,
            title=title_of(status),
            status=status,
            detail=sentence,
            code=code,
            allowed=tuple(allowed),
            details=dict(details or {}),
        )

    def response(self) -> Response:
        """The answer to the refused request."""
        headers = {"cache-control": "no-store"}
        if self.retry_after_s is not None:
            headers["retry-after"] = str(max(1, math.ceil(self.retry_after_s)))
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = "Bearer"
        return Response(self.problem.model_dump_json(), self.status, headers, MEDIA_TYPE)


def unauthenticated(sentence: str, noted: Noted | None = None) -> ApiError:
    """Who asks is not known."""
    return ApiError(HTTPStatus.UNAUTHORIZED, "unauthenticated", sentence, noted=noted)


def forbidden(sentence: str, **more: Any) -> ApiError:  # noqa: ANN401 - as ApiError
    """Who asks is known, and may not."""
    return ApiError(HTTPStatus.FORBIDDEN, "forbidden", sentence, **more)


def not_found(code: str, sentence: str, **more: Any) -> ApiError:  # noqa: ANN401 - as ApiError
    """There is no such thing, or none that is his to see."""
    return ApiError(HTTPStatus.NOT_FOUND, code, sentence, **more)


def unavailable(code: str, sentence: str, retry_after_s: float = 1.0) -> ApiError:
    """Something that is needed does not answer: the same may be asked again."""
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, code, sentence, retry_after_s=retry_after_s)


def database_down() -> ApiError:
    """Postgres does not answer now."""
    return unavailable("database_down", "The database does not answer. Send it again.")


@contextmanager
def answering() -> Iterator[None]:
    """Raises ApiError when Postgres does not answer what is asked of it here."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise database_down() from error


def too_many(sentence: str, retry_after_s: float) -> ApiError:
    """More than is taken from one sender."""
    return ApiError(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", sentence, retry_after_s=retry_after_s)


def invalid(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    """What was sent is not of the right shape; `errors` as pydantic tells them, values left out."""
    places = [{"at": _place(error["loc"]), "problem": error["msg"]} for error in errors]
    first = f"{places[0]['at']}: {places[0]['problem']}" if places else "it is no JSON"
    sentence = f"The request cannot be understood: {first}."
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", sentence, details={"errors": places[:20]})


def _place(location: Sequence[object]) -> str:
    """Where, in words that can be sent: a field's name may be anything."""
    named = "/".join(str(part) for part in location)[:PLACE_CHARS_MAX]
    return named.encode(errors="replace").decode()


def of_framework(error: HTTPException) -> ApiError:
    """What the framework refuses: an unknown path, a wrong method, a body that is not even text."""
    status = HTTPStatus(error.status_code)
    if status == HTTPStatus.BAD_REQUEST:
        return invalid([{"loc": ("body",), "msg": str(error.detail)}])
    code = _CODES.get(status) or title_of(status).lower().replace(" ", "_")
    return ApiError(status, code, str(error.detail))


def internal() -> ApiError:
    """A bug of ours; what happened is in the log."""
    sentence = "Something failed on our side. It is logged; send the request again."
    return ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", sentence, retry_after_s=1)
