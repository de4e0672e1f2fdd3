"""Messenger's User Profile and Conversations APIs. Source: Messenger Platform (Graph API v26.0).

Who wrote for the page is not told: a program or a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import httpx

from config.delivery import DeliverySettings
from config.ingress import MessengerApp
from schemas.base import Channel, Json
from schemas.inbound import Attachment, Echo, Message, Profile
from workers.channels import fields
from workers.channels.delivery.messenger_errors import failure_of
from workers.channels.delivery.result import Failed
from workers.channels.fields import identifier, mapping
from workers.channels.reading.getting import get
from workers.channels.reading.older import older
from workers.channels.reading.place import Place, Thread
from workers.channels.reading.reader import Access, Found
from workers.channels.signature import messenger_digest

LIST_MAX, MESSAGES_MAX = 25, 25
_ID = re.compile(r"[A-Za-z0-9_$:=-][A-Za-z0-9_$:=.-]*")
"""What may stand in a path."""
_MESSAGE_FIELDS = (
    "id,created_time,from,message,sticker,attachments{mime_type,name,image_data,video_data,file_url}"
)


class MessengerReader:
    """Asks Facebook.

    Args:
        client: whose connections are used.
        settings: where the API is, and how far back is read.
        apps: a page's app signs with its secret that it is no thief of the token.
    """

    channel: ClassVar[Channel] = "messenger"

    def __init__(
        self, client: httpx.AsyncClient, settings: DeliverySettings, apps: Sequence[MessengerApp]
    ) -> None:
        self._client = client
        self._settings = settings
        self._secrets = {app.name: app.app_secret.get_secret_value().encode() for app in apps}

    async def profile(self, access: Access, user: str) -> Profile | Failed:
        """See Reader.profile."""
        if _ID.fullmatch(user) is None:
            return Failed("refused", "unreachable", detail="no id of Messenger's")
        said = await self._get(access, user, {"fields": "name,first_name,last_name,profile_pic"})
        if isinstance(said, Failed):
            return said
        parts = (fields.name(said.get(name)) for name in ("first_name", "last_name"))
        return Profile(
            channel=self.channel,
            account=access.account,
            user=user,
            customer_name=fields.name(said.get("name")) or " ".join(filter(None, parts)) or None,
            customer_picture=fields.url(said.get("profile_pic")),
            raw=said,
        )

    async def history(self, access: Access, place: Place) -> Found | Failed:
        """See Reader.history."""
        return await (self._messages if place.threads else self._list)(access, place)

    async def _list(self, access: Access, place: Place) -> Found | Failed:
        asked = {"platform": "messenger", "fields": "id,updated_time,participants", "limit": str(LIST_MAX)}
        asked |= {"user_id": place.user} if place.user else {}
        asked |= {"after": place.list_after} if place.list_after else {}
        said = await self._get(access, f"{access.account}/conversations", asked)
        if isinstance(said, Failed):
            return said
        listed = _objects(said)
        threads = (_thread(each, access.account) for each in listed)
        # The last written in come first: behind one that is too old there are only older ones.
        recent = [each for each in listed if (_moment_ms(each.get("updated_time")) or 0) >= place.since_ms]
        after = _after(said) if len(recent) == len(listed) else None
        kept = tuple(
            thread for thread, each in zip(threads, listed, strict=True) if thread and each in recent
        )
        return Found((), place.listed(kept, after))

    async def _messages(self, access: Access, place: Place) -> Found | Failed:
        thread = place.threads[0]
        asked = {"fields": _MESSAGE_FIELDS, "limit": str(MESSAGES_MAX)}
        asked |= {"after": place.after} if place.after else {}
        said = await self._get(access, f"{thread.id}/messages", asked)
        if isinstance(said, Failed):
            return said
        items = _objects(said)
        moments = [_moment_ms(each.get("created_time")) or 0 for each in items]
        wanted = (each for each, at_ms in zip(items, moments, strict=True) if place.has(at_ms))
        records = [found for each in wanted if (found := self._record(access, thread, each)) is not None]
        is_over = any(at_ms < place.since_ms for at_ms in moments)
        is_over |= place.read + len(items) >= self._settings.history_messages_max
        after = None if is_over else _after(said)
        return Found(records[::-1], place.turned(len(items), after))

    def _record(self, access: Access, thread: Thread, said: dict[str, Any]) -> Message | Echo | None:
        """None: it says nothing that can be kept."""
        is_ours = identifier(mapping(said.get("from")).get("id")) == access.account
        kept = {
            "channel": self.channel,
            "account": access.account,
            "user": thread.user,
            "channel_message_id": identifier(said.get("id")),
            "sent_at_ms": _moment_ms(said.get("created_time")),
            "text": fields.text(said.get("message")),
            "attachments": _attachments(said),
            "customer_name": thread.name,
            "raw": said,
        }
        return older(kept, self._settings.history_author if is_ours else None)

    async def _get(self, access: Access, path: str, asked: dict[str, str]) -> dict[str, Any] | Failed:
        params = {**asked, "access_token": access.token}
        secret = self._secrets.get(access.app or "")
        if secret is not None:
            params["appsecret_proof"] = messenger_digest(secret, access.token.encode())
        url = f"{self._settings.messenger_url}/{path}"
        answer = await get(self._client, self._settings, url, params=params)
        if isinstance(answer, Failed):
            return answer
        error: Mapping[str, Any] = mapping(answer.body.get("error"))
        if answer.status == httpx.codes.OK and answer.body and not error:
            return answer.body
        code, subcode = (
            value if isinstance(value := error.get(name), int) else None for name in ("code", "error_subcode")
        )
        status = answer.status if answer.status != httpx.codes.OK else httpx.codes.BAD_GATEWAY
        return failure_of(code, subcode, status, str(error.get("message", ""))[:200])


def _thread(said: dict[str, Any], account: str) -> Thread | None:
    """The conversation with the one who is not the page."""
    people = _objects(mapping(said.get("participants")))
    customer = next((each for each in people if identifier(each.get("id")) not in (None, account)), None)
    id_ = identifier(said.get("id"))
    if customer is None or id_ is None or _ID.fullmatch(id_) is None:
        return None
    return Thread(id_, str(customer["id"]), fields.name(customer.get("name")))


def _attachments(said: dict[str, Any]) -> tuple[Attachment, ...]:
    found = [_attachment(each) for each in _objects(mapping(said.get("attachments")))]
    if sticker := fields.url(said.get("sticker")):
        found.append(Attachment(type="sticker", url=sticker))
    return tuple(found)


def _attachment(said: dict[str, Any]) -> Attachment:
    urls = (mapping(said.get("image_data")).get("url"), mapping(said.get("video_data")).get("url"))
    url = next((found for each in (*urls, said.get("file_url")) if (found := fields.url(each))), None)
    kind = (fields.text(said.get("mime_type")) or "").partition("/")[0]
    known = kind if kind in {"image", "video", "audio"} else "file"
    return Attachment(type=known, url=url, name=fields.name(said.get("name")))


def _objects(said: Mapping[str, Json]) -> list[dict[str, Any]]:
    data = said.get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def _after(said: Mapping[str, Json]) -> str | None:
    """The mark behind this page; none: it is the last."""
    paging = mapping(said.get("paging"))
    return identifier(mapping(paging.get("cursors")).get("after")) if paging.get("next") else None


def _moment_ms(value: Json) -> int | None:
    """Milliseconds since 1970 of `2026-11-22T08:15:00+0000`."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if at is None or at.tzinfo is None else round(at.timestamp() * 1000)
