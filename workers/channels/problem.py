"""Why a request is refused, in the one shape of all HTTP errors: RFC 9457, `application/problem+json`."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import ClassVar

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tongdai:problem:"
_TITLES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""Python has had these names since 3.13."""


class RequestRefusedError(Exception):
    """A request is refused; the text says what is wrong and what to do."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    slug: ClassVar[str] = "internal"
    """The end of the problem's `type`, and the `reason` label of the metric."""
    title: ClassVar[str] = "Internal error"
    closes: ClassVar[bool] = False
    """Whether the connection must go, since the rest of the body is not wanted."""

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


class MalformedError(RequestRefusedError):
    """The body is no JSON that we read."""

    status, slug, title = HTTPStatus.BAD_REQUEST, "malformed", "Malformed request"


class WrongSignatureError(RequestRefusedError):
    """The signature is missing or is none of a configured app."""

    status, slug, title = HTTPStatus.FORBIDDEN, "wrong_signature", "Wrong signature"


class WrongTokenError(RequestRefusedError):
    """The subscription challenge does not name a configured verify token."""

    status, slug, title = HTTPStatus.FORBIDDEN, "wrong_token", "Wrong verify token"


class WrongObjectError(RequestRefusedError):
    """A signed webhook about something that this path does not take."""

    status, slug, title = HTTPStatus.NOT_FOUND, "wrong_object", "Not a page's webhook"


class BodyTooLargeError(RequestRefusedError):
    """The body exceeds the limit, declared or not."""

    status, slug, title = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "Body too large"
    closes = True


class BodyTooSlowError(RequestRefusedError):
    """The body did not arrive in time."""

    status, slug, title = HTTPStatus.REQUEST_TIMEOUT, "too_slow", "Body too slow"
    closes = True


class RateLimitedError(RequestRefusedError):
    """This address sends more than it may."""

    status, slug, title = HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", "Too many requests"


class OverloadedError(RequestRefusedError):
    """More requests wait than we keep in memory."""

    status, slug, title = HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "Overloaded"


class CrowdedError(OverloadedError):
    """There are more connections than we serve."""

    closes = True


class PageFloodedError(RequestRefusedError):
    """A page brings more than it may: post it again, nothing of the webhook was kept."""

    status, slug, title = HTTPStatus.SERVICE_UNAVAILABLE, "page_flooded", "Too much of one page"


class DatabaseDownError(RequestRefusedError):
    """Where it belongs cannot be looked up now: send it again."""

    status, slug, title = HTTPStatus.SERVICE_UNAVAILABLE, "database_down", "Database down"


class NotStoredError(RequestRefusedError):
    """Whether Kafka has what came is unknown: send it again."""

    status, slug, title = HTTPStatus.SERVICE_UNAVAILABLE, "unpublished", "Not stored yet"


def title_of(status: int) -> str:
    """What RFC 9110 calls it, whatever this Python does."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def problem_response(error: RequestRefusedError) -> Response:
    """The answer to a refused request."""
    headers = {"connection": "close"} if error.closes else {}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    return _response(error.status, error.slug, error.title, error.detail, headers)


def http_problem(error: HTTPException) -> Response:
    """The same shape for what the framework refuses: an unknown path, a wrong method."""
    title = title_of(error.status_code)
    slug = title.lower().replace(" ", "_")
    return _response(error.status_code, slug, title, error.detail, dict(error.headers or {}))


def internal_problem() -> Response:
    """The same shape for a bug of ours; what happened is in the log, not in the answer."""
    text = "Something failed on our side. It is logged; send the request again."
    return problem_response(RequestRefusedError(text, retry_after_s=1))


def _response(status: int, slug: str, title: str, detail: str, headers: dict[str, str]) -> Response:
    body = {"type": TYPE_PREFIX + slug, "title": title, "status": int(status), "detail": detail}
    return Response(orjson.dumps(body), status, headers, MEDIA_TYPE)
