"""Messenger's Send API. Source: Messenger Platform, Send API (Graph API v26.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx

from config.delivery import DeliverySettings
from config.ingress import MessengerApp
from schemas.base import Channel
from schemas.receipts import DeliveryReason
from workers.channels.delivery.marker import marker
from workers.channels.delivery.messenger_errors import failure_of
from workers.channels.delivery.posting import Answer, post
from workers.channels.delivery.result import Failed, Result, Taken, Unanswered
from workers.channels.delivery.sender import Call, Enclosed, refusal_by_link
from workers.channels.fields import mapping, message_id
from workers.channels.signature import messenger_digest
from workers.files.file import File

_SHARED = {"phone": "user_phone_number", "email": "user_email"}
"""Quick replies by which a customer shares what his account has; his name is known without."""
ATTACHMENTS = {"image", "audio", "video", "file"}


class MessengerSender:
    """Gives messages to Facebook.

    Args:
        client: whose connections are used.
        settings: where the API is.
        apps: a page's app signs with its secret that it is no thief of the token.
    """

    channel: ClassVar[Channel] = "messenger"
    text_max: ClassVar[int] = 1_999  # "less than 2000 characters"
    taken: ClassVar[str] = "pictures, sounds, films and files"

    def __init__(
        self, client: httpx.AsyncClient, settings: DeliverySettings, apps: Sequence[MessengerApp]
    ) -> None:
        self._client = client
        self._settings = settings
        self._secrets = {app.name: app.app_secret.get_secret_value().encode() for app in apps}

    @staticmethod
    def takes(file: File) -> bool:
        """See Sender.takes."""
        return file.type in ATTACHMENTS

    def refusal(self, enclosed: Enclosed) -> DeliveryReason | None:
        """See Sender.refusal."""
        return refusal_by_link(enclosed, ATTACHMENTS)

    async def send(self, call: Call) -> Result:
        """See Sender.send."""
        parameters = {"access_token": call.access_token}
        secret = self._secrets.get(call.app or "")
        if secret is not None:
            parameters["appsecret_proof"] = messenger_digest(secret, call.access_token.encode())
        request = self._client.build_request(
            "POST",
            f"{self._settings.messenger_url}/{call.account}/messages",
            params=parameters,
            json=_body(call),
        )
        answer = await post(self._client, self._settings.request_timeout_s, request)
        return _read(answer) if isinstance(answer, Answer) else answer


def _body(call: Call) -> dict[str, Any]:
    message: dict[str, Any] = {"metadata": marker(call.message, call.part.number)}
    if call.enclosed is None:
        message["text"] = call.part.text
        if shown := [{"content_type": _SHARED[each]} for each in call.part.asks if each in _SHARED]:
            message["quick_replies"] = shown
    else:
        payload = {"url": call.enclosed.attachment.url, "is_reusable": False}
        message["attachment"] = {"type": call.enclosed.attachment.type, "payload": payload}
    terms = {"messaging_type": "RESPONSE"}
    if call.tag is not None:
        terms = {"messaging_type": "MESSAGE_TAG", "tag": call.tag}
    body = {"recipient": {"id": call.user}, **terms, "message": message}
    return body if call.reply_to is None else {**body, "reply_to": {"mid": call.reply_to}}


def _read(answer: Answer) -> Result:
    mid = message_id(answer.body.get("message_id"))
    if answer.status == httpx.codes.OK and mid is not None:
        return Taken(mid)
    error: Mapping[str, Any] = mapping(answer.body.get("error"))
    if error or answer.status < httpx.codes.INTERNAL_SERVER_ERROR:
        return _failed(answer, error)
    # Something between us and the platform has answered in its place: it may have it.
    return Unanswered(f"HTTP {answer.status}")


def _failed(answer: Answer, error: Mapping[str, Any]) -> Failed | Unanswered:
    if not error and answer.status < httpx.codes.BAD_REQUEST:
        return Unanswered(f"HTTP {answer.status} without a message_id")
    code, subcode = (
        value if isinstance(value := error.get(name), int) else None for name in ("code", "error_subcode")
    )
    return failure_of(code, subcode, answer.status, str(error.get("message", ""))[:200])
