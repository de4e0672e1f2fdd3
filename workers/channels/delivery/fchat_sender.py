"""FChat's send API. Source: fchat.vn, help, Broadcast API.

It documents one answer, `{"code": 200, …}`; what its other codes mean is taken from HTTP's. It gives a
message no id, takes no mark of ours and shows nothing of what it has sent: without an answer it is unknown.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

import httpx

from config.delivery import DeliverySettings
from schemas.base import Channel
from schemas.receipts import DeliveryReason
from workers.channels.delivery.marker import marker
from workers.channels.delivery.posting import Answer, post
from workers.channels.delivery.result import Failed, Result, Taken, Unanswered
from workers.channels.delivery.sender import Call, Enclosed, refusal_by_link
from workers.files.file import File

ATTACHMENTS = {"image"}


class FchatSender:
    """Gives messages to FChat, which gives them to Messenger.

    Args:
        client: whose connections are used.
        settings: where the API is.
    """

    channel: ClassVar[Channel] = "fchat"
    text_max: ClassVar[int] = 1_999  # Messenger's
    taken: ClassVar[str] = "pictures"

    def __init__(self, client: httpx.AsyncClient, settings: DeliverySettings) -> None:
        self._client = client
        self._settings = settings

    @staticmethod
    def takes(file: File) -> bool:
        """See Sender.takes; of others than pictures FChat says nothing."""
        return file.type in ATTACHMENTS

    def refusal(self, enclosed: Enclosed) -> DeliveryReason | None:
        """See Sender.refusal."""
        return refusal_by_link(enclosed, ATTACHMENTS)

    async def send(self, call: Call) -> Result:
        """See Sender.send."""
        request = self._client.build_request(
            "POST",
            f"{self._settings.fchat_url}/api/v1/message/send",
            headers={"Token": call.access_token},
            json={"user_id": call.user, "message": [_message(call)]},
        )
        answer = await post(self._client, self._settings.request_timeout_s, request)
        return _read(answer, call) if isinstance(answer, Answer) else answer


def failure_of(code: int, detail: str = "") -> Failed:
    """What a `code` other than 200 means."""
    told = f"{code}: {detail}"
    if code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Failed("token", "token_broken", told)
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return Failed("slow_down", "rate_limited", told)
    if code == HTTPStatus.NOT_FOUND:
        return Failed("refused", "unreachable", told)
    if HTTPStatus.INTERNAL_SERVER_ERROR <= code < 600:
        return Failed("again", "channel_down", told)
    return Failed("refused", "rejected", told)


def _message(call: Call) -> dict[str, Any]:
    if call.enclosed is None:
        return {"text": call.part.text}
    return {"attachment": {"type": "image", "payload": {"url": call.enclosed.attachment.url}}}


def _read(answer: Answer, call: Call) -> Result:
    """What has no `code` was not said by FChat, unless HTTP itself says that it was not taken."""
    code = answer.body.get("code")
    if code == HTTPStatus.OK:
        return Taken(marker(call.message, call.part.number))
    if isinstance(code, int):
        return failure_of(code, str(answer.body.get("msg", ""))[:200])
    if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return failure_of(answer.status)
    return Unanswered(f"HTTP {answer.status} without an answer of FChat's")
