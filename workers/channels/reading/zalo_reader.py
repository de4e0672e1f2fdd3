"""Zalo's user details and conversations. Source: Zalo Official Account OpenAPI.

Errors are HTTP 200 too. Who wrote for the account is not told: a program or a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import httpx
import orjson

from config.delivery import DeliverySettings
from schemas.base import Channel, Json
from schemas.inbound import Attachment, Echo, Message, Profile
from workers.channels import fields, zalo_gesture
from workers.channels.delivery.result import Failed
from workers.channels.delivery.zalo_errors import failure_of
from workers.channels.fields import identifier, mapping
from workers.channels.reading.getting import get
from workers.channels.reading.older import older
from workers.channels.reading.place import Place, Thread
from workers.channels.reading.reader import Access, Found

MESSAGES_MAX = 10
"""In one answer."""
OFFSET_MAX = 100_000
KIND_CHARS_MAX = 40
"""As the schema takes an attachment's."""
_TEXTS = {"text", "link"}
_OTHER_NAMES = {"photo": "image", "voice": "audio"}


class ZaloReader:
    """Asks Zalo.

    Args:
        client: whose connections are used.
        settings: where the API is, and how far back is read.
    """

    channel: ClassVar[Channel] = "zalo"

    def __init__(self, client: httpx.AsyncClient, settings: DeliverySettings) -> None:
        self._client = client
        self._settings = settings

    async def profile(self, access: Access, user: str) -> Profile | Failed:
        """See Reader.profile."""
        said = await self._get(access, self._settings.zalo_profile_path, {"user_id": user})
        if isinstance(said, Failed):
            return said
        person = mapping(said.get("data"))
        pictures = mapping(person.get("avatars"))
        urls = (fields.url(each) for each in (pictures.get("240"), person.get("avatar")))
        follows = person.get("user_is_follower")
        who = {"channel": self.channel, "account": access.account, "user": user, "raw": said}
        shown = {"customer_name": fields.name(person.get("display_name"))}
        shown |= {"customer_picture": next(filter(None, urls), None)}
        # What he has shared once, in the form in which a webhook brings it.
        shared = zalo_gesture.submitted(who, {"info": mapping(person.get("shared_info"))})
        return shared.model_copy(update={**shown, "follows": follows if isinstance(follows, bool) else None})

    async def history(self, access: Access, place: Place) -> Found | Failed:
        """See Reader.history. Newer messages move the others on: some come twice then, none is left out."""
        if place.user and not place.threads:
            place = place.listed((Thread(place.user, place.user),), None)
        return await (self._messages if place.threads else self._list)(access, place)

    async def _list(self, access: Access, place: Place) -> Found | Failed:
        """Read the next part of the list of recent chats.

        Whether a row is a conversation or any message is not documented: among messages some come twice.
        """
        offset = int(place.list_after or 0)
        items = await self._rows(access, self._settings.zalo_recent_path, offset)
        if isinstance(items, Failed):
            return items
        behind = offset + len(items)
        recent = [each for each in items if _moment_ms(each) >= place.since_ms]
        is_over = len(items) < MESSAGES_MAX or behind >= OFFSET_MAX or len(recent) < len(items)
        threads = tuple(thread for each in recent if (thread := _thread(access, each)) is not None)
        place = place._replace(lists_messages=place.lists_messages or len(set(threads)) < len(threads))
        listed = place.listed(() if place.lists_messages else threads, None if is_over else str(behind))
        return Found(self._records(access, place, items) if place.lists_messages else (), listed)

    async def _messages(self, access: Access, place: Place) -> Found | Failed:
        path, user = self._settings.zalo_conversation_path, place.threads[0].user
        items = await self._rows(access, path, place.read, user_id=user)
        if isinstance(items, Failed):
            return items
        behind = place.read + len(items)
        is_over = len(items) < MESSAGES_MAX or behind >= self._settings.history_messages_max
        is_over |= any(_moment_ms(each) < place.since_ms for each in items)
        turned = place.turned(len(items), None if is_over else str(behind))
        return Found(self._records(access, place, items), turned)

    async def _rows(
        self, access: Access, path: str, offset: int, **asked: str
    ) -> Sequence[dict[str, Any]] | Failed:
        said = await self._get(access, path, {**asked, "offset": offset, "count": MESSAGES_MAX})
        if isinstance(said, Failed):
            return said
        data = said.get("data")
        return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []

    def _records(
        self, access: Access, place: Place, items: Sequence[dict[str, Any]]
    ) -> Sequence[Message | Echo]:
        """The messages that are wanted, the oldest first."""
        wanted = (each for each in reversed(items) if place.has(_moment_ms(each)))
        return [found for each in wanted if (found := self._record(access, each)) is not None]

    def _record(self, access: Access, said: dict[str, Any]) -> Message | Echo | None:
        """None: it says nothing that can be kept."""
        is_ours, end = _ends(access, said)
        kind = fields.cut(said.get("type"), KIND_CHARS_MAX) or "unknown"
        kept = {
            "channel": self.channel,
            "account": access.account,
            "user": identifier(said.get(f"{end}_id")),
            "channel_message_id": identifier(said.get("message_id")),
            "sent_at_ms": fields.milliseconds(said.get("time")),
            "text": fields.text(said.get("message")) or None,
            "attachments": () if kind in _TEXTS else _attachments(kind, said),
            "customer_name": fields.name(said.get(f"{end}_display_name")),
            "raw": said,
        }
        return older(kept, self._settings.history_author if is_ours else None)

    async def _get(self, access: Access, path: str, asked: dict[str, Any]) -> dict[str, Any] | Failed:
        answer = await get(
            self._client,
            self._settings,
            f"{self._settings.zalo_url}{path}",
            params={"data": orjson.dumps(asked).decode()},
            headers={"access_token": access.token},
        )
        if isinstance(answer, Failed):
            return answer
        code = answer.body.get("error")
        if isinstance(code, int) and code != 0:
            return failure_of(code, str(answer.body.get("message", ""))[:200])
        if code == 0:
            return answer.body
        if answer.status == httpx.codes.TOO_MANY_REQUESTS:
            return Failed("slow_down", "rate_limited", detail="HTTP 429", of_app=True)
        return Failed("again", "channel_down", detail=f"HTTP {answer.status} without an answer of Zalo's")


def _moment_ms(said: dict[str, Any]) -> int:
    return fields.milliseconds(said.get("time")) or 0


def _ends(access: Access, said: dict[str, Any]) -> tuple[bool, str]:
    """Whether the account has said it, and at which end the customer is."""
    is_ours = identifier(said.get("from_id")) == access.account
    return is_ours, "to" if is_ours else "from"


def _thread(access: Access, said: dict[str, Any]) -> Thread | None:
    """The conversation of a row; Zalo calls it as its customer."""
    user = identifier(said.get(f"{_ends(access, said)[1]}_id"))
    return None if user is None else Thread(user, user)


def _attachments(kind: str, said: dict[str, Any]) -> tuple[Attachment, ...]:
    place = _place(said.get("location"))
    url = fields.url(said.get("url")) or fields.url(said.get("thumb"))
    if url is None and not place:
        return ()
    return (
        Attachment(
            type=_OTHER_NAMES.get(kind, kind),
            url=url,
            latitude=fields.degrees(place.get("latitude")),
            longitude=fields.degrees(place.get("longitude")),
        ),
    )


def _place(value: Json) -> dict[str, Any]:
    """It comes as an object, or as its JSON."""
    try:
        return mapping(orjson.loads(value) if isinstance(value, str) else value)
    except orjson.JSONDecodeError:
        return {}
