"""Gives a file to whoever has a link to it."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from workers.files.files import Files
from workers.files.link import Content, ExpiredLinkError
from workers.files.storage import Range, StorageDownError, Stored
from workers.files.streams import FileStream

SAFE_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "referrer-policy": "no-referrer",
    # Consoles and websites show it from pages of their own.
    "cross-origin-resource-policy": "cross-origin",
    "accept-ranges": "bytes",
}
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


async def file_response(files: Files, request: Request, token: str) -> Response:
    """The file of a link, or the part that was asked for. Raises HTTPException."""
    try:
        found = files.links.read(token)
    except ExpiredLinkError as error:
        raise HTTPException(HTTPStatus.GONE, "This link has ended: ask for another one.") from error
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such file.")
    content, ends_s = found
    address = request.client.host if request.client else ""
    files.streams.check(address)
    try:
        return await _response(files, request, address, content, ends_s)
    except StorageDownError as error:
        sentence = "The store of files does not answer. Ask again."
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, sentence, {"retry-after": "2"}) from error


async def _response(files: Files, request: Request, address: str, content: Content, ends_s: int) -> Response:
    """Raises HTTPException, StorageDownError."""
    size_bytes = await files.storage.size_bytes(content.key)
    wanted = None if size_bytes is None else range_of(request.headers.get("range"), size_bytes)
    stored = await files.storage.read(content.key, wanted) if size_bytes else None
    if size_bytes is None or stored is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such file any more.")
    headers = {**headers_of(content, ends_s - int(time.time())), "content-length": str(_length(stored))}
    if wanted is None:
        return FileStream(files.streams, address, stored.chunks, HTTPStatus.OK, headers)
    headers["content-range"] = f"bytes {wanted.start}-{wanted.end - 1}/{size_bytes}"
    return FileStream(files.streams, address, stored.chunks, HTTPStatus.PARTIAL_CONTENT, headers)


def headers_of(content: Content, left_s: int) -> dict[str, str]:
    """What browsers are told of a file, so that it can do nothing but be shown or saved."""
    how = "inline" if content.is_shown else "attachment"
    charset = "; charset=utf-8" if content.media_type.startswith("text/") else ""
    return {
        **SAFE_HEADERS,
        "content-type": content.media_type + charset,
        "content-disposition": f"{how}; filename*=utf-8''{quote(content.name, safe='')}",
        "cache-control": f"private, max-age={max(0, left_s)}, immutable",
    }


def range_of(header: str | None, size_bytes: int) -> Range | None:
    """The one range of bytes that is asked for; none: all of it, also when what is asked for is unusual.

    Raises HTTPException 416 when the file has no such bytes.
    """
    asked = _RANGE.fullmatch(header or "")
    if asked is None or not (asked[1] or asked[2]):
        return None
    if asked[1]:
        start, end = int(asked[1]), min(int(asked[2] or size_bytes) + 1, size_bytes)
        if asked[2] and int(asked[2]) < start:
            return None
    else:
        start, end = max(0, size_bytes - int(asked[2])), size_bytes
    if start >= end:
        sentence, size = "The file has no such bytes.", {"content-range": f"bytes */{size_bytes}"}
        raise HTTPException(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, sentence, size)
    return Range(start, end)


def _length(stored: Stored) -> int:
    return stored.range.end - stored.range.start
