"""Zalo's consultation messages. Source: Zalo Official Account OpenAPI v3.0, message/cs."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from config.delivery import DeliverySettings
from schemas.base import Channel
from schemas.receipts import DeliveryReason
from workers.channels.delivery.parts import Part
from workers.channels.delivery.posting import Answer, post
from workers.channels.delivery.result import Failed, NotBegun, Result, Taken, Unanswered
from workers.channels.delivery.sender import Call, Enclosed, refusal_by_link
from workers.channels.delivery.zalo_errors import failure_of
from workers.channels.delivery.zalo_uploads import ZaloUploads, media, upload_of
from workers.channels.fields import mapping, message_id
from workers.files.file import File

_IN_FORMS = {"name", "phone"}
"""What Zalo's form asks for; e-mail addresses are asked for in words."""


class ZaloSender:
    """Gives messages to Zalo. It takes nothing of ours that it would return: see docs/delivery.md.

    Args:
        client: whose connections are used.
        settings: where the API is.
    """

    channel: ClassVar[Channel] = "zalo"
    text_max: ClassVar[int] = 2_000
    taken: ClassVar[str] = "JPEG, PNG and WebP pictures; GIF, PDF, DOC and DOCX up to 5 MiB"

    def __init__(self, client: httpx.AsyncClient, settings: DeliverySettings) -> None:
        self._client = client
        self._settings = settings
        self._uploads = ZaloUploads(client, settings)

    @staticmethod
    def takes(file: File) -> bool:
        """See Sender.takes."""
        return upload_of(file) is not None

    def refusal(self, enclosed: Enclosed) -> DeliveryReason | None:
        """See Sender.refusal."""
        if enclosed.file is None:
            return refusal_by_link(enclosed, {"image"})
        return None if self.takes(enclosed.file) else "unsupported"

    async def send(self, call: Call) -> Result:
        """See Sender.send; a file of ours is uploaded first, which says nothing to the customer yet."""
        attachment = await self._attachment(call)
        if isinstance(attachment, NotBegun | Failed):
            return attachment
        request = self._client.build_request(
            "POST",
            f"{self._settings.zalo_url}/v3.0/oa/message/cs",
            headers={"access_token": call.access_token},
            json={"recipient": {"user_id": call.user}, "message": attachment or {"text": call.part.text}},
        )
        answer = await post(self._client, self._settings.request_timeout_s, request)
        return _read(answer) if isinstance(answer, Answer) else answer

    async def _attachment(self, call: Call) -> dict[str, Any] | NotBegun | Failed | None:
        """The message of an attachment, or of a form; none: it is a text."""
        if call.enclosed is None:
            return self._form(call.part)
        if call.enclosed.file is None:
            return media({"media_type": "image", "url": call.enclosed.attachment.url})
        return await self._uploads.give(call.access_token, call.enclosed)

    def _form(self, part: Part) -> dict[str, Any] | None:
        """What asks a customer for name, number and address, all at once; none: neither is asked for."""
        if not _IN_FORMS.intersection(part.asks):
            return None
        element = {"title": self._settings.zalo_form_title, "subtitle": part.text}
        if self._settings.zalo_form_picture is not None:
            element["image_url"] = self._settings.zalo_form_picture
        payload = {"template_type": "request_user_info", "elements": [element]}
        return {"attachment": {"type": "template", "payload": payload}}


def _read(answer: Answer) -> Result:
    """Errors are HTTP 200 too; what has no `error` was not said by Zalo."""
    code = answer.body.get("error")
    if isinstance(code, int) and code != 0:
        return failure_of(code, str(answer.body.get("message", ""))[:200])
    id_ = message_id(mapping(answer.body.get("data")).get("message_id"))
    if code == 0 and id_ is not None:
        return Taken(id_)
    if answer.status == httpx.codes.TOO_MANY_REQUESTS:
        return Failed("slow_down", "rate_limited", detail="HTTP 429", of_app=True)
    return Unanswered(f"HTTP {answer.status} without an answer of Zalo's")
