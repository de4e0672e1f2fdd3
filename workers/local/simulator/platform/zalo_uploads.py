"""Zalo's uploads, as documented: what is uploaded is looked at, and good for messages of the same kind."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import filetype
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workers.local.simulator.platform.account import Account

MIB = 1_048_576
LIMITS = {
    "image": ({"image/jpeg", "image/png"}, MIB),
    "gif": ({"image/gif"}, 5 * MIB),
    "file": ({"application/pdf", "application/msword", "application/zip"}, 5 * MIB),
}
_OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class ZaloUploads:
    """Args:
    accounts: by their good access tokens.
    """

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        self.given: dict[str, tuple[str, bytes]] = {}
        """Kind and bytes of what was uploaded, by what it is called."""
        self._accounts = accounts
        self._ids = itertools.count(1)
        self.routes = [Route("/v2.0/oa/upload/{kind}", self._upload, methods=["POST"])]

    def takes(self, attachment: Any) -> str | None:  # noqa: ANN401 - JSON
        """The kind of a message's attachment; none: it is not taken."""
        payload = attachment.get("payload") or {}
        if attachment.get("type") == "file":
            return "file" if self._kind(payload.get("token")) == "file" else None
        if attachment.get("type") != "template" or payload.get("template_type") != "media":
            return None
        elements = payload.get("elements")
        if not isinstance(elements, list) or len(elements) != 1:
            return None
        return self._element(elements[0])

    def _element(self, element: dict[str, Any]) -> str | None:
        kind = element.get("media_type")
        if kind == "gif" and not (element.get("width") and element.get("height")):
            return None
        if "attachment_id" in element:
            return kind if self._kind(element["attachment_id"]) == kind else None
        return "image" if kind == "image" and str(element.get("url", "")).startswith("https://") else None

    def _kind(self, id_: object) -> str | None:
        return self.given.get(str(id_), (None, b""))[0]

    async def _upload(self, request: Request) -> Response:
        if request.headers.get("access_token") not in self._accounts:
            return JSONResponse({"error": -216, "message": "Access token is invalid"})
        kind = request.path_params["kind"]
        types, bytes_max = LIMITS.get(kind, (set(), 0))
        data = _file(request.headers["content-type"], await request.body())
        if data is None or _type(data) not in types:
            return JSONResponse({"error": -201, "message": "file is invalid"})
        if len(data) > bytes_max:
            return JSONResponse({"error": -210, "message": "file is over its limit"})
        id_ = f"upload{next(self._ids)}"
        self.given[id_] = (kind, data)
        named = {"token" if kind == "file" else "attachment_id": id_}
        return JSONResponse({"data": named, "error": 0, "message": "Success"})


def _type(data: bytes) -> str | None:
    found = filetype.guess(data)
    mime = None if found is None else found.mime
    return "application/zip" if mime == _OFFICE else mime


def _file(content_type: str, body: bytes) -> bytes | None:
    """The field `file` of a multipart body."""
    message = BytesParser(policy=HTTP).parsebytes(
        b"content-type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    for part in message.iter_parts():
        if part.get_param("name", header="content-disposition") == "file":
            data = part.get_payload(decode=True)
            return data if isinstance(data, bytes) else None
    return None
