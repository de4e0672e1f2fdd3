"""Files from visitors: sent over HTTP by the widget, before the message that names them."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from config.logging import get_logger
from schemas.ids import conversation_id
from workers.channels.problem import (
    BodyTooLargeError,
    BodyTooSlowError,
    MalformedError,
    OverloadedError,
    RequestRefusedError,
    problem_response,
)
from workers.channels.website.links import link_to
from workers.channels.website.records import CHANNEL
from workers.channels.website.website import Website
from workers.files.file import File
from workers.files.files import Files, FilesBusyError, TooManyUnusedError
from workers.files.refusal import FileRefusedError
from workers.files.storage import StorageDownError
from workers.runtime.postgres import DATABASE_ERRORS

RETRY_S = 2.0
NAME_CHARS_MAX = 500
PREFLIGHT_S = 600
CLIENT_GONE = 499

_log = get_logger(__name__)


class NotVisitorError(RequestRefusedError):
    """Who sends it is no visitor of the site, or from nowhere where its widget may stand."""

    status, slug, title = HTTPStatus.FORBIDDEN, "not_a_visitor", "Not a visitor"


class KindNotTakenError(RequestRefusedError):
    """Files of this kind are not taken."""

    status, slug, title = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "kind_not_taken", "Kind of file not taken"


class TooManyFilesError(RequestRefusedError):
    """He has sent many files that no message names."""

    status, slug, title = HTTPStatus.CONFLICT, "too_many_files", "Too many files"


_REFUSALS: dict[str, type[RequestRefusedError]] = {
    "empty": MalformedError,
    "too_large": BodyTooLargeError,
    "too_slow": BodyTooSlowError,
    "kind_not_taken": KindNotTakenError,
}


class UploadEndpoint:
    """Takes files of a website channel's visitors."""

    def __init__(self, website: Website, files: Files) -> None:
        self._website = website
        self._files = files

    async def serve(self, request: Request) -> Response:
        """Answer a preflight, or take a file."""
        site, origin = request.path_params["site"], request.headers.get("origin")
        address = request.client.host if request.client else ""
        try:
            if self._website.gate.refusal(site, origin, address, time.monotonic()) is not None:
                raise NotVisitorError("This page may not send files.")
            if await self._website.gate.closed_to(site, address) is not None:
                raise NotVisitorError("No files are taken from there.")
            response = await self._answer(request, site)
        except RequestRefusedError as error:
            self._website.metrics.refused.labels(CHANNEL, error.slug).inc()
            response = problem_response(error)
        except ClientDisconnect:
            response = Response(status_code=CLIENT_GONE)
        if response.status_code != HTTPStatus.FORBIDDEN:
            response.headers["access-control-allow-origin"] = origin or ""
            response.headers["vary"] = "origin"
        return response

    async def _answer(self, request: Request, site: str) -> Response:
        """Raises RequestRefusedError, ClientDisconnect."""
        if request.method == "OPTIONS":
            allowed = {
                "access-control-allow-methods": "POST",
                "access-control-allow-headers": "authorization, content-type",
                "access-control-max-age": str(PREFLIGHT_S),
            }
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=allowed)
        try:
            file = await self._take(request, site)
        except DATABASE_ERRORS as error:
            _log.warning("upload_waits_for_postgres", error=error)
            raise OverloadedError("It cannot be taken now.", retry_after_s=RETRY_S) from error
        told = orjson.dumps(self._told(file))
        return Response(told, HTTPStatus.CREATED, media_type="application/json")

    async def _take(self, request: Request, site: str) -> File:
        """Raises RequestRefusedError, ClientDisconnect, and what Postgres raises."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        sender = await self._website.reception.sender(site, token)
        if sender is None or self._website.gate.sends_too_much(sender[1], time.monotonic()):
            raise NotVisitorError("Send the token that the socket has given.")
        workspace, key = sender
        name = request.query_params.get("name", "")[:NAME_CHARS_MAX]
        try:
            return await self._files.take(
                self._website.pool, workspace, conversation_id(key), key, request.stream(), name
            )
        except FileRefusedError as error:
            raise _REFUSALS[error.code](str(error)) from error
        except TooManyUnusedError as error:
            raise TooManyFilesError("Many files have come that no message names.") from error
        except (FilesBusyError, StorageDownError) as error:
            raise OverloadedError("It cannot be taken now.", retry_after_s=RETRY_S) from error

    def _told(self, file: File) -> dict[str, Any]:
        """What the widget says of it in a message, and shows meanwhile."""
        thumbnail = file.thumbnail
        return {
            "file": file.id,
            "type": file.type,
            "name": file.name,
            "url": link_to(self._files, file.content),
            "thumbnail": thumbnail and link_to(self._files, thumbnail),
        }
