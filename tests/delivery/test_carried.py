"""Answers that a connector carries: it tells how they fare, and no courier touches them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from pydantic import BaseModel, ValidationError

from schemas import envelope
from schemas.catalogue import RECORDS
from schemas.ids import conversation_id
from schemas.outbound import Carried
from schemas.receipts import Carried as Told
from tests.delivery.ground import Ground, ground
from workers.channels.delivery.erasing import take_away
from workers.channels.delivery.handler import DeliveryHandler
from workers.routing.intake import erasing
from workers.runtime.batch import Batch, Event, Record

PAGE = "telegram:shop"
WHO: dict[str, Any] = {"channel": "telegram", "account": "shop", "user": "an"}


def told(message: UUID, state: str, **fields: object) -> Told:
    """A connector tells how an answer fares."""
    return Told.model_validate_json(orjson.dumps({**WHO, "message": str(message), "state": state, **fields}))


async def published(field: Ground, *values: BaseModel) -> list[Event]:
    """What the lane publishes of `values`, which it reads in one batch."""
    records = []
    for offset, value in enumerate(values):
        kind = next(kind for kind, model in RECORDS.items() if model is type(value))
        key = value.key  # type: ignore[attr-defined]
        headers = envelope.headers(kind, id_=uuid4(), source="tests", subject=key, time="")
        body = orjson.dumps(value.model_dump(mode="json"))
        at_ms = time.time_ns() // 1_000_000
        records.append(Record(kind.topic, 3, offset, at_ms, key.encode(), body, headers))
    batch = Batch("delivery", records, [record.timestamp_ms for record in records])
    handler = DeliveryHandler(field.settings.delivery, field.settings.mail, field.settings.phone)
    async with field.database.acquire() as connection, connection.transaction():
        await handler.handle(connection, batch)
    return [event for events in batch.events.values() for event in events]


async def behind(field: Ground, *values: Told) -> list[Carried]:
    """What a connector tells, as it stands behind the answers."""
    events = await published(field, *values)
    assert {event.topic for event in events} <= {"outbound"}
    return [Carried.model_validate_json(event.value) for event in events]


def reasons(events: list[Event]) -> list[str]:
    """Why each was refused."""
    return [dict(event.headers)["deadletter_reason"].decode() for event in events]


@pytest.mark.servers
async def test_a_connector_carries_answers_and_tells_how_they_fare(database: str) -> None:
    async with ground(database) as field:
        await field.database.execute("INSERT INTO page_registry VALUES ($1, 'acme', 'main')", PAGE)
        first, lost, late = [await field.say(PAGE, "an", text, silent_s=9e6) for text in ("một", "hai", "ba")]
        async with field.delivering():
            waiting = await field.row(first)
        assert (waiting["state"], waiting["reason"], waiting["due_at"]) == ("queued", None, None)
        assert await field.page(PAGE) is None, "no courier has anything to do for the page"

        states = ("sent", "sent", "delivered", "sent", "failed", "read", "read")
        says = [told(first, state, channel_message_id=f"id {state}") for state in states]
        says += [told(lost, "failed", reason="unreachable"), told(lost, "sent")]
        assert await published(field, *await behind(field, *says)) == []
        row = await field.row(first)
        assert (row["state"], row["ids"], row["version"]) == ("read", ["id sent"], 4)
        row = await field.row(lost)
        assert (row["state"], row["reason"], row["ids"]) == ("failed", "unreachable", [])
        states_told = {each.message: each.state for each in await field.told()}
        assert states_told == {first: "read", lost: "failed", late: "queued"}

        (carried,) = await behind(field, told(late, "delivered", sent_at_ms=1_700_000_000_000))
        assert carried.at == envelope.moment(1_700_000_000_000)
        send = field.send(PAGE, "an", "bốn")
        (early,) = await behind(field, told(send.message, "sent"))
        assert await published(field, carried, send, early) == [], "in one batch it is behind the answer"
        assert [(await field.row(each))["state"] for each in (late, send.message)] == ["delivered", "sent"]
        assert (await field.row(late))["ids"] == [str(late)]

        assert reasons(await published(field, told(first, "sent", account="else"))) == ["unknown_page"]
        assert reasons(await published(field, told(first, "sent", workspace="other"))) == ["wrong_workspace"]
        others = await behind(field, told(first, "read", user="chi"), told(uuid4(), "sent"))
        assert reasons(await published(field, *others)) == ["unknown_message", "unknown_message"]


@pytest.mark.servers
async def test_what_waits_for_a_connector_is_given_up_when_its_customer_is_erased(database: str) -> None:
    async with ground(database) as field:
        await field.database.execute("INSERT INTO page_registry VALUES ($1, 'acme', 'main')", PAGE)
        message = await field.say(PAGE, "an", "một")
        erased = ("acme", conversation_id(f"{PAGE}:an"), 9, datetime.now(UTC))
        await field.database.execute("INSERT INTO erasure VALUES ($1, $2, $3, $4, 'agent:acme/lan')", *erased)
        assert await field.database.execute(erasing.DONE, *erased) == "UPDATE 0"
        assert await take_away(field.database) == 1
        assert await published(field, *await behind(field, told(message, "sent"))) == []
        row = await field.row(message)
        assert (row["state"], row["reason"]) == ("failed", "erased")
        assert await field.database.execute(erasing.DONE, *erased) == "UPDATE 1"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"channel": "messenger"}, "sent by the delivery worker, by no connector"),
        ({"reason": "rejected"}, "only what has failed has a reason"),
        ({"state": "queued"}, "Input should be 'sent', 'delivered', 'read' or 'failed'"),
        ({"state": "failed", "reason": "token_broken"}, "Input should be 'window_closed'"),
    ],
)
def test_what_a_connector_may_not_tell_is_unreadable(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        told(uuid4(), **{"state": "sent", **fields})  # type: ignore[arg-type]
