"""Files for Zalo: uploaded first, and named as it calls them. Source: Zalo Official Account OpenAPI, upload.

An upload is good for a week, and is not kept: each message has its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import httpx

from config.delivery import DeliverySettings
from workers.channels.delivery.posting import Answer, post
from workers.channels.delivery.result import Failed, NotBegun
from workers.channels.delivery.sender import Enclosed, NoCopyError
from workers.channels.delivery.zalo_errors import failure_of
from workers.channels.fields import identifier, mapping
from workers.files.file import File
from workers.files.refusal import FileRefusedError
from workers.files.shrinking import BYTES_MAX, CONVERTED_TYPES
from workers.files.storage import StorageDownError

MIB = 1_048_576


class Upload(NamedTuple):
    """Which way a file goes."""

    path: str
    bytes_max: int
    named: str
    """What Zalo calls the name that it gives."""


_IMAGE = Upload("image", BYTES_MAX, "attachment_id")
_GIF = Upload("gif", 5 * MIB, "attachment_id")
_FILE = Upload("file", 5 * MIB, "token")
_OF_MEDIA_TYPE = {
    "image/jpeg": _IMAGE,
    "image/png": _IMAGE,
    "image/webp": _IMAGE,
    "image/gif": _GIF,
    "application/pdf": _FILE,
}
_OF_ENDING = {".doc": _FILE, ".docx": _FILE}


def upload_of(file: File) -> Upload | None:
    """How Zalo takes a file, or its smaller copy; none: it does not."""
    ending = Path(file.name or "").suffix.lower()
    upload = _OF_MEDIA_TYPE.get(file.media_type or "") or _OF_ENDING.get(ending)
    if upload is _GIF and file.width is None:  # it wants to know its size
        return None
    if upload is None or (file.media_type in CONVERTED_TYPES and not file.needs_smaller):
        return None
    return upload if file.needs_smaller or (file.size_bytes or 0) <= upload.bytes_max else None


def media(element: dict[str, Any]) -> dict[str, Any]:
    """The message of a picture."""
    payload = {"template_type": "media", "elements": [element]}
    return {"attachment": {"type": "template", "payload": payload}}


class ZaloUploads:
    """Args:
    client: whose connections are used.
    settings: where the API is.
    """

    def __init__(self, client: httpx.AsyncClient, settings: DeliverySettings) -> None:
        self._client = client
        self._settings = settings

    async def give(self, access_token: str, enclosed: Enclosed) -> dict[str, Any] | NotBegun | Failed:
        """Upload a file that `upload_of` knows; the message that names it. Raises nothing."""
        file, copying = enclosed.file, enclosed.copying_smaller or enclosed.copying
        assert file is not None  # noqa: S101 - whoever calls has looked
        assert copying is not None  # noqa: S101
        upload = upload_of(file)
        assert upload is not None  # noqa: S101
        try:
            async with copying() as path:
                name = await self._give(access_token, upload, file, path)
        except NoCopyError:
            return Failed("refused", "unsupported", detail="a picture that cannot be made small enough")
        except (StorageDownError, FileRefusedError, OSError) as error:
            return Failed("again", "channel_down", detail=f"the store of files: {type(error).__name__}")
        return _message(upload, file, name) if isinstance(name, str) else name

    async def _give(
        self, access_token: str, upload: Upload, file: File, path: Path
    ) -> str | NotBegun | Failed:
        """What Zalo calls it. Without an answer it is given once more: nobody has seen it. Raises OSError."""
        with path.open("rb") as opened:
            name, media_type = _named(file)
            request = self._client.build_request(
                "POST",
                f"{self._settings.zalo_url}/v2.0/oa/upload/{upload.path}",
                headers={"access_token": access_token},
                files={"file": (name, opened, media_type)},
            )
            answer = await post(self._client, self._settings.request_timeout_s, request)
        if isinstance(answer, NotBegun):
            return answer
        if not isinstance(answer, Answer):
            return Failed("again", "channel_down", detail="no answer to an upload")
        code = answer.body.get("error")
        if isinstance(code, int) and code != 0:
            return failure_of(code, str(answer.body.get("message", ""))[:200])
        given = identifier(mapping(answer.body.get("data")).get(upload.named))
        return given or Failed("again", "channel_down", detail=f"HTTP {answer.status} to an upload")


def _named(file: File) -> tuple[str, str | None]:
    """Name and kind of what is given; the smaller copy of a picture is a JPEG."""
    name = file.name or ""
    return (f"{Path(name).stem}.jpg", "image/jpeg") if file.needs_smaller else (name, file.media_type)


def _message(upload: Upload, file: File, name: str) -> dict[str, Any]:
    if upload is _FILE:
        return {"attachment": {"type": "file", "payload": {"token": name}}}
    if upload is _GIF:
        size = {"width": file.width, "height": file.height}
        return media({"media_type": "gif", "attachment_id": name, **size})
    return media({"media_type": "image", "attachment_id": name})
