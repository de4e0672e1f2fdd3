"""What real workers write is what the contract says: every kind of record that customers bring about."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat
from jsonschema import Draft202012Validator

from config.settings import Settings
from schemas.catalogue import RECORDS
from schemas.definitions import Rule
from schemas.envelope import Kind, headers, read_kind
from schemas.inbound import (
    Echo,
    Edit,
    InboundRecord,
    Message,
    Other,
    Postback,
    Profile,
    Reaction,
    Referral,
)
from tests.contract.folder import FOLDER, file_name, read
from tests.contract.switchboard import DEADLINE_S, NOTIFIER, switchboard
from workers.contract.header_schemas import cloudevents_headers, deadletter_headers
from workers.workspace.command_writer import configure_command, send
from workers.workspace.loader import load_workspace

pytestmark = pytest.mark.servers

WORKSPACE = """\
workspace: hoa-sen
agents: [{id: lan, name: Nguyễn Thị Lan, capacity: 1}]
departments: [{id: ban-hang, name: Bán hàng, agents: [lan]}]
pages:
  - {channel: messenger, account: "1", name: Có quy tắc, admins: [lan]}
  - {channel: zalo, account: "2", name: Không có quy tắc, admins: [lan]}
rules: [{id: deu, name: Chia đều, owner: lan, pages: ["messenger:1"], departments: [ban-hang]}]
"""
SILENCE_S = 3
DEADLETTER = Kind("deadletter", "")
EXPECTED = {
    DEADLETTER,
    *(Kind("inbound", what) for what in ("message", "postback", "echo", "other")),
    *(Kind("inbound", what) for what in ("reaction", "edit", "profile")),
    *(Kind("messages", what) for what in ("stored", "marked", "customer_changed", "ticket_changed")),
    Kind("actions", "session_timer"),
    *(Kind("commands", what) for what in ("configure", "route", "session_ended")),
    *(Kind("roster", f"{what}_changed") for what in ("agent", "department", "page", "rule")),
    *(
        Kind("assignments", what)
        for what in ("session_opened", "session_closed", "assigned", "queued", "offered")
    ),
    *(Kind("notifications", what) for what in ("assigned", "message")),
    *(Kind("outcomes", what) for what in ("done", "refused")),
}
"""What is written when customers write and a workspace file is applied; what else comes is checked too."""

_AN: dict[str, Any] = {"channel": "messenger", "account": "1", "user": "an"}
_BINH: dict[str, Any] = {"channel": "messenger", "account": "1", "user": "binh"}
_CHI: dict[str, Any] = {"channel": "zalo", "account": "2", "user": "chi"}
_SENT: tuple[tuple[str, InboundRecord], ...] = (
    ("message", Message(**_AN, channel_message_id="a1", text="Còn hàng không ạ?", customer_name="An")),
    ("postback", Postback(**_AN, channel_message_id="a2", text="Xem giá", payload="PRICES")),
    ("echo", Echo(**_AN, channel_message_id="a3", text="Dạ còn ạ", author="human", author_id="9")),
    ("other", Other(**_AN, event="read", raw={"read": {"watermark": 1}})),
    ("reaction", Reaction(**_AN, of="a3", emoji="❤️")),
    ("edit", Edit(**_AN, of="a1", text="Còn hàng không shop?")),
    ("profile", Profile(**_AN, phone="84912345678", referral=Referral(source="ADS"))),
    ("message", Message(**_BINH, channel_message_id="b1", text="Ship Huế bao nhiêu?")),
    ("message", Message(**_CHI, channel_message_id="c1", text="Alo shop")),
    ("message", Message(channel="web", account="9", user="x", channel_message_id="x1", text="?")),
)


class Record(NamedTuple):
    """One record as it was read."""

    topic: str
    key: bytes
    value: bytes
    named: tuple[tuple[str, bytes], ...]

    @property
    def kind(self) -> Kind:
        """What it is; a dead letter keeps the type that it had."""
        return DEADLETTER if self.topic == DEADLETTER.topic else read_kind(self.named, self.topic)


class Log:
    """Everything that is written to any topic, as it comes."""

    def __init__(self, consumer: AIOKafkaConsumer, topics: dict[str, str]) -> None:
        self._consumer = consumer
        self._short = {full: name for name, full in topics.items()}
        self.records: list[Record] = []

    async def read_until(self, enough: Callable[[Record], bool]) -> Record:
        """Read up to the first record that is enough, and return it."""
        while True:
            one = await self._consumer.getone()
            assert one.key is not None
            assert one.value is not None
            record = Record(self._short[one.topic], one.key, one.value, tuple(one.headers))
            self.records.append(record)
            if enough(record):
                return record

    def missing(self) -> set[Kind]:
        """The kinds that are expected and of which there has been none."""
        return EXPECTED - {record.kind for record in self.records}


@asynccontextmanager
async def _log(settings: Settings, topics: dict[str, str]) -> AsyncIterator[Log]:
    options = settings.kafka.client_options()
    consumer = AIOKafkaConsumer(
        *topics.values(), **options, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    async with consumer:
        yield Log(consumer, topics)


async def _publish(settings: Settings, topic: str, sent: Sequence[tuple[str, InboundRecord]]) -> None:
    options = settings.kafka.client_options()
    async with AIOKafkaProducer(**options, acks="all", enable_idempotence=True) as producer:
        for what, value in sent:
            named = headers(
                Kind("inbound", what),
                id_=str(uuid4()),
                source="tests",
                subject=value.key,
                time="2026-11-22T01:15:00.000Z",
            )
            body = value.model_dump_json(exclude_none=True).encode()
            await producer.send_and_wait(topic, body, key=value.key.encode(), headers=named)


async def _ask_for_the_impossible(settings: Settings, file: Path) -> None:
    """Send a roster whose rule names nobody known: the desk refuses it."""
    (roster,) = load_workspace(file).desks
    wrong = Rule(id="sai", name="Sai", owner="lan", pages=("messenger:1",), agents=("nobody",))
    impossible = type(roster)(roster.id, roster.agents, roster.departments, roster.pages, (wrong,))
    await send(settings, [configure_command("hoa-sen", impossible, "cli:test")])


def _further(key: str) -> Message:
    """Another message of the customer of this key."""
    _, account, user = key.split(":")
    return Message(
        channel="messenger",
        account=account,
        user=user,
        channel_message_id="further",
        text="Cảm ơn",
        sent_at_ms=1,
    )


def _is_log_line_of_the_assignment(record: Record) -> bool:
    """Whether intake knows by now who has the conversation of An, or of Bình."""
    return record.topic == "messages" and orjson.loads(record.value).get("code") == "assigned"


async def test_every_record_is_what_the_contract_says(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "workspace.yaml"
    file.write_text(WORKSPACE, encoding="utf-8")
    routing = (sys.executable, "-m", "tests.contract.short_sessions", str(SILENCE_S))
    async with switchboard(settings, tmp_path, file, (routing, NOTIFIER)), _log(settings, topics) as log:
        try:
            async with asyncio.timeout(DEADLINE_S):
                await _publish(settings, topics["inbound"], _SENT)
                await _ask_for_the_impossible(settings, file)
                held = await log.read_until(_is_log_line_of_the_assignment)
                await _publish(settings, topics["inbound"], [("message", _further(held.key.decode()))])
                await log.read_until(lambda _: not log.missing())
        except TimeoutError:
            pytest.fail(f"nobody wrote {log.missing()}")
    for record in log.records:
        _check(record)


def _check(record: Record) -> None:
    """Check a record against the files that other programs have."""
    named = {name: value.decode() for name, value in record.named}
    if record.topic == "deadletter":
        Draft202012Validator(deadletter_headers()).validate(named)
        return
    kind = record.kind
    Draft202012Validator(cloudevents_headers()).validate(named)
    Draft202012Validator(read(FOLDER / "schemas" / file_name(kind))).validate(orjson.loads(record.value))
    RECORDS[kind].model_validate_json(record.value)
    binding = _DOCUMENT["components"]["messages"][f"{kind.topic}.{kind.what}"]["bindings"]["kafka"]
    Draft202012Validator(binding["key"]).validate(record.key.decode())
    event = from_kafka(KafkaMessage(dict(record.named), record.key, record.value), JSONFormat())
    assert event.get_subject() == record.key.decode()


_DOCUMENT = read(FOLDER / "asyncapi.yaml")
