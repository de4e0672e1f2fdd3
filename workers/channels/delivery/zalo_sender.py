"""Zalo's consultation messages. Source: Zalo Official Account OpenAPI v3.0, message/cs."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from config.delivery import DeliverySettings
from schemas.base import Channel
from schemas.messages import MessageAttachment
from workers.channels.delivery.posting import Answer, post
from workers.channels.delivery.result import Failed, Result, Taken, Unanswered
from workers.channels.delivery.sender import Call
from workers.channels.delivery.zalo_errors import failure_of
from workers.channels.fields import identifier, mapping


class ZaloSender:
    """Gives messages to Zalo. It takes nothing of ours that it would return: see docs/delivery.md.

    Args:
        client: whose connections are used.
        settings: where the API is.
    """

    channel: ClassVar[Channel] = "zalo"
    text_max: ClassVar[int] = 2_000

    def __init__(self, client: httpx.AsyncClient, settings: DeliverySettings) -> None:
        self._client = client
        self._settings = settings

    def takes(self, attachment: MessageAttachment) -> bool:
        """See Sender.takes; files must be uploaded first, which is not done yet."""
        return attachment.type == "image" and attachment.url is not None

    async def send(self, call: Call) -> Result:
        """See Sender.send."""
        request = self._client.build_request(
            "POST",
            f"{self._settings.zalo_url}/v3.0/oa/message/cs",
            headers={"access_token": call.access_token},
            json={"recipient": {"user_id": call.user}, "message": _message(call)},
        )
        answer = await post(self._client, self._settings.request_timeout_s, request)
        return _read(answer) if isinstance(answer, Answer) else answer


def _message(call: Call) -> dict[str, Any]:
    if call.part.attachment is None:
        return {"text": call.part.text}
    element = {"media_type": "image", "url": call.part.attachment.url}
    payload = {"template_type": "media", "elements": [element]}
    return {"attachment": {"type": "template", "payload": payload}}


def _read(answer: Answer) -> Result:
    """Errors are HTTP 200 too; what has no `error` was not said by Zalo."""
    code = answer.body.get("error")
    if isinstance(code, int) and code != 0:
        return failure_of(code, str(answer.body.get("message", ""))[:200])
    id_ = identifier(mapping(answer.body.get("data")).get("message_id"))
    if code == 0 and id_ is not None:
        return Taken(id_)
    if answer.status == httpx.codes.TOO_MANY_REQUESTS:
        return Failed("slow_down", "rate_limited", detail="HTTP 429", of_app=True)
    return Unanswered(f"HTTP {answer.status} without an answer of Zalo's")
