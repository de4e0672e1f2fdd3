"""Delivery as a handler of the runtime: what is to be sent is stored, what is known of it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from pydantic import BaseModel

from config.delivery import DeliverySettings
from config.mail import MailSettings
from config.phone import PhoneSettings
from schemas import receipts
from schemas.base import rfc3339
from schemas.catalogue import RECORDS
from schemas.envelope import Kind
from schemas.ids import channel_of, conversation_id, user_of
from schemas.inbound import InboundRecord
from schemas.outbound import Call, Carried, Echoed, EchoTimer, LookUp, Mail, Outbound, Send, Sms
from schemas.receipts import Arrival, Delivery, Outreach, PageStands
from workers.channels.delivery import carried, message_rows, news, page_news, unanswered
from workers.channels.delivery.page_rows import NOTIFY
from workers.channels.delivery.parts import parts_of
from workers.channels.delivery.senders import text_max
from workers.channels.mail.address import ReplyAddresses
from workers.channels.outreach import rows as outreach_rows
from workers.channels.outreach.row import row_of
from workers.channels.reading import errand_rows
from workers.runtime.batch import Batch, Record, TimerDue
from workers.runtime.handler import Connection
from workers.runtime.refusal import RefusedError, kind_of, value_of

INPUTS = ("outbound", "receipts")
READERS = frozenset({"web"})
"""Channels whose customers are shown the transcript itself: what stands in it is sent, to no platform."""


class DeliveryHandler:
    """The only writer of what is to be sent; couriers change how it stands, by the number of their attempt.

    Args:
        settings: how many wait in one conversation, and what becomes of what is not answered.
        mail: where replies to mails are to go.
        phone: with whom SMS and calls are made, and how many.
    """

    kind = "delivery"
    inputs = INPUTS
    takes_halves = False
    intervals = 1

    def __init__(self, settings: DeliverySettings, mail: MailSettings, phone: PhoneSettings) -> None:
        self._settings = settings
        self._phone = phone
        self._addresses = None if mail.reply_address is None else ReplyAddresses(mail)

    async def handle(self, connection: Connection, batch: Batch) -> None:
        """Apply `batch`; see workers.runtime.handler.Handler."""
        values = _read_all(batch)
        sends = [(record, value) for record, value in values if isinstance(value, Send)]
        await self._store(connection, sends)
        await self._store_outreach(connection, values)
        told = [(record, value) for record, value in values if isinstance(value, receipts.Carried)]
        await carried.put_behind(connection, batch, told)
        for record, value in values:
            if isinstance(value, Echoed):
                await news.echoed(connection, value)
            elif isinstance(value, Arrival):
                await news.arrived(connection, value)
            elif isinstance(value, Carried):
                await _tell(connection, batch, record, value)
            elif isinstance(value, EchoTimer):
                await unanswered.decide(connection, value, self._settings)
            elif isinstance(value, Outreach):
                await outreach_rows.tell(connection, value, conversation_id(value.key))
        await self._look_up(connection, [value for _, value in values if isinstance(value, LookUp)])

    async def due_timers(
        self, connection: Connection, lanes: Sequence[int], now_ms: int, limit: int
    ) -> Sequence[TimerDue]:
        """What has changed is told on receipts; of what was not answered the lane is to decide."""
        timers = await unanswered.due(connection, lanes, limit)
        told = await news.untold(connection, lanes, limit - len(timers))
        left = limit - len(timers) - len(told)
        outreach = await news.untold(connection, lanes, left, outreach_rows.UNTOLD)
        pages = await page_news.untold(connection, lanes, left - len(outreach))
        return [*timers, *told, *outreach, *pages]

    def forget(self, lanes: Collection[int] | None = None) -> None:
        """Nothing is remembered."""

    async def _look_up(self, connection: Connection, wanted: Sequence[LookUp]) -> None:
        names = [(one.workspace, one.page, user_of(one.key)) for one in wanted]
        await errand_rows.ask_profiles(connection, names, timedelta(days=self._settings.profile_days))

    async def _store_outreach(
        self, connection: Connection, values: Sequence[tuple[Record, BaseModel]]
    ) -> None:
        rows = [
            row_of(record.lane, value, self._addresses, can_phone=bool(self._phone.accounts))
            for record, value in values
            if isinstance(value, Mail | Sms | Call)
        ]
        limits = self._settings.waiting_max, self._phone.agent_hourly_max, self._phone.page_hourly_max
        await outreach_rows.enqueue(connection, rows, *limits)

    async def _store(self, connection: Connection, sends: Sequence[tuple[Record, Send]]) -> None:
        if not sends:
            return
        conversations = sorted({str(send.conversation) for _, send in sends})
        waiting = Counter(await message_rows.waiting(connection, conversations))
        rows = []
        for record, send in sends:
            row = _row(record, send)
            if row["state"] == "queued" and waiting[str(send.conversation)] >= self._settings.waiting_max:
                row |= {"state": "failed", "reason": "too_many", "content": None}
            waiting[str(send.conversation)] += row["state"] == "queued"
            rows.append(row)
        await message_rows.enqueue(connection, rows)
        await connection.execute(NOTIFY)


def _row(record: Record, send: Send) -> dict[str, Any]:
    """The row of a message; one that says nothing has failed."""
    attachments = [attachment.model_dump(exclude_none=True) for attachment in send.attachments]
    content = {"text": send.text, "attachments": attachments, "asks": send.asks, "reply_to": send.reply_to}
    parts = len(parts_of(content, text_max(channel_of(send.page))))
    said: dict[str, Any] = {"state": "queued", "reason": None, "content": content, "ids": ()}
    if not parts:
        said |= {"state": "failed", "reason": "rejected", "content": None}
    elif channel_of(send.page) in READERS:
        parts, said = 1, said | {"state": "sent", "content": None, "ids": (str(send.message),)}
    elif carried.is_carried(send.page):
        parts, said = 1, said | {"content": None}
    return {
        **said,
        "workspace_id": send.workspace,
        "message_id": str(send.message),
        "desk_id": send.desk,
        "lane": record.lane,
        "conversation_id": str(send.conversation),
        "key": send.key,
        "page_id": send.page,
        "position": send.position,
        "sender": send.sender,
        "parts": parts,
        "last_customer_at": send.last_customer_at and rfc3339(send.last_customer_at),
        "changed_at": rfc3339(send.at),
    }


async def _tell(connection: Connection, batch: Batch, record: Record, value: Carried) -> None:
    try:
        await carried.tell(connection, value)
    except RefusedError as refusal:
        batch.reject(record, refusal.reason, refusal.detail)


def _read_all(batch: Batch) -> list[tuple[Record, BaseModel]]:
    """The batch's records as values; those that cannot be read are put on deadletter."""
    values = []
    for record in batch.records:
        try:
            value = _read(record)
        except RefusedError as refusal:
            batch.reject(record, refusal.reason, refusal.detail)
        else:
            if not isinstance(value, Delivery | PageStands):  # our own word
                values.append((record, value))
    return values


def _read(record: Record) -> BaseModel:
    kind = kind_of(record.headers, record.topic)
    model = _MODELS.get(kind)
    if model is None:
        raise RefusedError("unknown_type", f"nothing called {kind.what[:100]!r} is known on {record.topic}")
    value = value_of(model, record.value)
    if _key(value).encode() != record.key:
        raise RefusedError("wrong_key", "the record's key is not that of its value")
    return value


def _key(value: BaseModel) -> str:
    if isinstance(value, InboundRecord):
        return value.key
    return cast("Outbound | Carried | EchoTimer | Delivery | PageStands", value).key


_MODELS: Mapping[Kind, type[BaseModel]] = {
    kind: model for kind, model in RECORDS.items() if kind.topic in INPUTS
}
