"""Everything that reads what comes from outside, each with how inputs are drawn and what it may answer with.

`read` raises nothing but `refuses`, whatever it is given; some assert something of what they have read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import jwt
import orjson
from aiokafka import ConsumerRecord
from pydantic import ValidationError

from config.errors import UsageError
from config.ingress import FchatBot, MessengerApp, ZaloApp
from config.topics import DEADLETTER_EXTRA_BYTES, MAX_MESSAGE_BYTES
from schemas.catalogue import RECORDS
from schemas.envelope import Kind, UnreadableEnvelopeError, read_kind
from tests.channels.webhooks import (
    APPS,
    FCHAT_TOKEN,
    VERIFY_TOKEN,
    ZALO_APP_ID,
    messenger,
    said,
    sign_messenger,
    sign_zalo,
    zalo_event,
)
from tests.security.bending import bent, bent_text, text
from workers.channels import glance
from workers.channels.channel import Channel, Skipped
from workers.channels.fchat import FORM, Fchat
from workers.channels.messenger import Messenger
from workers.channels.problem import RequestRefusedError
from workers.channels.rate_limit import bucket_of
from workers.channels.records import Webhook, outgoing
from workers.channels.signature import header_digest, same
from workers.channels.website.identity import NotVerifiedError, by_digest, by_token
from workers.channels.website.said import SAID as VISITORS_SAID
from workers.channels.zalo import Zalo
from workers.cli.dead_letter import LetterId, summarise
from workers.cli.deadletter_command import _row
from workers.cli.tail_line import see
from workers.contract.examples import EXAMPLES
from workers.gateway import positions
from workers.gateway.client_messages import SAID
from workers.gateway.origins import is_allowed
from workers.gateway.problem import ApiError
from workers.gateway.queries import cursor
from workers.gateway.queries.filters import Asked
from workers.gateway.service_tokens import read_service_token
from workers.gateway.sign_in import _host
from workers.gateway.tokens import Tokens, WrongTokenError
from workers.outside.guard import RefusedUrlError, check_url
from workers.outside.retry_after import read_retry_after
from workers.routing.intake.reading import INPUTS
from workers.routing.intake.reading import read as read_intake
from workers.runtime.batch import Record
from workers.runtime.refusal import RefusedError
from workers.workspace.loader import _workspace
from workers.workspace.nodes import UnreadableYamlError, parse
from workers.workspace.reader import Reader


class Parser(NamedTuple):
    """One of them."""

    name: str
    draw: Callable[[Random], Any]
    read: Callable[[Any], object]
    refuses: tuple[type[Exception], ...]

    def takes(self, given: object) -> bool:
        """Whether an input is read; false: it was refused as it may be. Raises what nobody foresaw."""
        try:
            self.read(given)
        except self.refuses:
            return False
        return True


def _taken(channel: Channel, body: bytes, headers: dict[str, str]) -> None:
    """A signed webhook becomes records that their topics take."""
    document = channel.open(headers, body)
    for item in channel.items(document):
        if not isinstance(item, Skipped):
            record = outgoing(Webhook(channel.name, body, 1_700_000_000_000), item)
            assert len(record.value) <= MAX_MESSAGE_BYTES + DEADLETTER_EXTRA_BYTES
            assert record.key is None or len(record.key) < 2_000


_MESSENGER = Messenger([MessengerApp.model_validate(app) for app in APPS["messenger_apps"]])
_ZALO = Zalo([ZaloApp.model_validate(app) for app in APPS["zalo_apps"]])
_FCHAT = Fchat([FchatBot.model_validate(bot) for bot in APPS["fchat_bots"]])
_PICTURE: dict[str, Any] = {
    "attachments": [{"type": "image", "payload": {"url": "https://cdn.example/a.png"}}]
}
_MESSENGER_BODIES = [
    messenger(said(), said("m_2", None, **_PICTURE)).body,
    messenger({"sender": {"id": "U"}, "recipient": {"id": "1"}, "read": {"watermark": 1458692752478}}).body,
    b'{"object":"page","entry":[{"id":"1","changes":[{"field":"feed","value":{}}]}]}',
]
_ZALO_BODIES = [
    orjson.dumps(zalo_event(message={"msg_id": "z1", "text": "xin chào"})),
    orjson.dumps(zalo_event("user_seen_message", message={"msg_ids": ["z1"]})),
    orjson.dumps(zalo_event("follow", follower={"id": "7"})),
]


def _messenger(body: bytes) -> None:
    _taken(_MESSENGER, body, sign_messenger(body).headers)


def _zalo(body: bytes) -> None:
    try:
        named = orjson.loads(body)
        timestamp, app = str(named.get("timestamp", "")), str(named.get("app_id", ""))
    except (orjson.JSONDecodeError, AttributeError):
        timestamp, app = "", ZALO_APP_ID
    _taken(_ZALO, body, sign_zalo(body, timestamp, app_id=app).headers)


_FCHAT_BODIES = [
    orjson.dumps({"user_id": "u1", "text": "Còn hàng?", "name": "Lan", "sent_at": "1763800000000"}),
    b"user_id=u1&text=C%C3%B2n+h%C3%A0ng&name=Lan",
]


def _fchat(body: bytes) -> None:
    kind = "application/json" if body[:1] in b"{[ " else FORM
    _taken(_FCHAT.at(FCHAT_TOKEN), body, {"content-type": kind})


_SECRET = "s" * 32
_PROOF = jwt.encode({"sub": "khach-7", "exp": 4_000_000_000, "name": "Lan"}, _SECRET, algorithm="HS256")


def _proof(content: bytes) -> None:
    text = content.decode(errors="replace")
    try:
        by_digest(_SECRET, text, text)
    except NotVerifiedError:
        by_token(_SECRET, text)


def _signature(given: tuple[str, str]) -> None:
    digest = header_digest(given[0], "sha256")
    assert digest is None or not same(digest, "e" * 64) or digest == "e" * 64


def _position(word: str) -> None:
    offsets = positions.decode(word)
    assert all(offset >= 0 for offset in offsets)


def _workspace_file(content: bytes) -> None:
    reader = Reader()
    made = _workspace(reader, parse(content.decode(errors="replace")))
    assert made is not None or reader.mistakes


_HEADER_NAMES = ("ce_type", "ce_id", "deadletter_reason", "deadletter_partition", "x")
_HEADER_VALUES = [kind.ce_type.encode() for kind in list(RECORDS)[:6]]


def _headers(random: Random) -> list[tuple[str, bytes]]:
    return [
        (
            random.choice(_HEADER_NAMES) if random.random() < 1 / 2 else text(random, 8),
            bent(random, _HEADER_VALUES),
        )
        for _ in range(random.randrange(5))
    ]


VALUES = [orjson.dumps(example.value) for example in EXAMPLES.values()]
_EXAMPLES, _KINDS = list(EXAMPLES.items()), list(RECORDS)
_OF_INTAKE = [example for kind, example in EXAMPLES.items() if kind.topic in INPUTS]
KEYS = [example.key.encode() for example in EXAMPLES.values()]


def _shown(given: tuple[list[tuple[str, bytes]], bytes, bytes]) -> None:
    """What `tail` and `deadletter list` show of a record is obeyed by no terminal."""
    headers, key, value = given
    record: ConsumerRecord = ConsumerRecord(
        topic="t", partition=0, offset=0, timestamp=0, timestamp_type=0, key=key, value=value, checksum=None,
        serialized_key_size=0, serialized_value_size=0, headers=tuple(headers),
    )  # fmt: skip
    assert all(cell.isprintable() for cell in _row(summarise(record), 0.0))
    found = see(record)
    if found is not None:
        assert found.text().isprintable()
        assert "\x9b" not in found.json()


def _bent_record(random: Random) -> Record:
    """A record that intake reads, with its key, value or headers bent."""
    one = random.choice(_OF_INTAKE)
    key, value = one.key.encode(), orjson.dumps(one.value)
    headers = [(name, text.encode()) for name, text in one.headers.items()]
    match random.randrange(4):
        case 0:
            key = bent(random, [key])
        case 1:
            headers = [*_headers(random), *headers]
        case _:
            value = bent(random, [value])
    return Record(one.kind.topic, 0, 0, 0, key, value, headers)


def _bent_value(random: Random) -> tuple[Kind, bytes]:
    """What stands on a topic, bent, and what it is said to be: mostly what it is."""
    kind, example = random.choice(_EXAMPLES)
    other = kind if random.random() < 1 / 2 else random.choice(_KINDS)
    return other, bent(random, [orjson.dumps(example.value)])


def _record(given: tuple[Kind, bytes]) -> None:
    RECORDS[given[0]].model_validate_json(given[1])


_TOKENS = Tokens("k" * 64, access_s=1e7, refresh_s=1e7)
_TOKEN = _TOKENS.access("shop", "lan", UUID(int=7))


def _token(text: str) -> None:
    if text.isascii() and text.isprintable():  # which is looked at before
        read_service_token(text)
    _TOKENS.read("access", text)


def _address(text: str) -> None:
    bucket_of(text)
    _host(text)
    is_allowed(text, text, (text,))


def _retry_after(text: str) -> None:
    seconds = read_retry_after(text, datetime(2026, 11, 22, tzinfo=UTC))
    assert seconds is None or seconds >= 0


_SAID = [
    '{"do":"sign_in","token":"t","last_event_id":"AQE"}',
    '{"do":"call","id":"7","idempotency_key":"k","call":"bulk","body":{"what":"follow","conversations":[]}}',
    '{"do":"watch","page":"messenger:1","off":true}',
    '{"do":"typing","conversation":"8c5b8b7e-6f0b-5b0a-9a57-7a2f2d9d6c01"}',
]
_VISITS = [
    b'{"do":"start","after":3,"language":"vi","where":{"url":"https://shop.example/a","title":"A"}}',
    b'{"do":"start","proof":{"id":"7","hash":"%s"}}' % (b"e" * 64),
    b'{"do":"typing"}',
]
_FILE = """workspace: hoa-sen
agents:
  - {id: lan, name: Lan, capacity: 5}
  - id: minh
pages:
  - {id: "messenger:104857600012345", name: Hoa Sen, admins: [lan]}
rules:
  - id: chia-deu
    owner: lan
    pages: ["messenger:104857600012345"]
    agents: [lan, minh]
    method: round_robin
"""
_URLS = ["https://example.com/hook?a=1", "http://[::1]:80/", "https://user@x/", "https://0x7f.1"]
_DATES = ["120", "Sun, 22 Nov 2026 18:00:00 GMT", "Sun, 22 Nov 2026 18:00:00 +9999"]
_WORD = positions.encode([1, 300, 70_000])
_CURSOR = cursor.write(cursor.Cursor(datetime(2026, 11, 22, tzinfo=UTC), UUID(int=7)))
_FILTERS = (*Asked.model_fields, "x")
_FILTERED = ["mine", "accepted", "vip", "messenger:1", "2026-11-22T08:00:00Z", "50", "true", "lan"]
_CHALLENGE = ("hub.mode", "hub_mode", "hub.verify_token", "hub.challenge")


def _query(random: Random) -> dict[str, object]:
    """Filters of a list, each with one word or several."""
    return {
        random.choice(_FILTERS): bent_text(random, _FILTERED)
        if random.random() < 1 / 2
        else [bent_text(random, _FILTERED) for _ in range(random.randrange(4))]
        for _ in range(random.randrange(5))
    }


def _challenge(random: Random) -> dict[str, str]:
    """A subscription's query; half of them with the right word."""
    right = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "7"}
    asked = right if random.random() < 1 / 2 else {}
    return asked | {
        random.choice(_CHALLENGE): random.choice(("subscribe", VERIFY_TOKEN, "7", text(random)))
        for _ in range(random.randrange(4))
    }


def _bytes(*whole: bytes) -> Callable[[Random], bytes]:
    return lambda random: bent(random, whole)


def _text(*whole: str) -> Callable[[Random], str]:
    return lambda random: bent_text(random, whole)


PARSERS: tuple[Parser, ...] = (
    Parser("messenger webhooks", _bytes(*_MESSENGER_BODIES), _messenger, (RequestRefusedError,)),
    Parser("zalo webhooks", _bytes(*_ZALO_BODIES), _zalo, (RequestRefusedError,)),
    Parser("fchat calls", _bytes(*_FCHAT_BODIES), _fchat, (RequestRefusedError,)),
    Parser("visitors' proofs", _bytes(_PROOF.encode()), _proof, (NotVerifiedError,)),
    Parser("subscription challenges", _challenge, _MESSENGER.challenge, (RequestRefusedError,)),
    Parser(
        "signature headers",
        lambda random: (bent_text(random, ["sha256=" + "e" * 64]), text(random)),
        _signature,
        (),
    ),
    Parser(
        "socket messages", _bytes(*(each.encode() for each in _SAID)), SAID.validate_json, (ValidationError,)
    ),
    Parser("visitors' messages", _bytes(*_VISITS), VISITORS_SAID.validate_json, (ValidationError,)),
    Parser("resume positions", _text(_WORD), _position, (ValueError,)),
    Parser("cursors", _text(_CURSOR), cursor.read, (ApiError,)),
    Parser("filters", _query, Asked.model_validate, (ValidationError,)),
    Parser("workspace files", _bytes(_FILE.encode()), _workspace_file, (UnreadableYamlError,)),
    Parser(
        "event headers", _headers, lambda headers: read_kind(headers, "inbound"), (UnreadableEnvelopeError,)
    ),
    Parser("records", _bent_value, _record, (ValidationError,)),
    Parser("intake's records", _bent_record, read_intake, (RefusedError,)),
    Parser(
        "records on terminals",
        lambda random: (_headers(random), bent(random, KEYS), bent(random, VALUES)),
        _shown,
        (),
    ),
    Parser("dead letters' ids", _text("3-1207"), LetterId.parse, (UsageError,)),
    Parser("tokens", _text(_TOKEN, "tds_shop.crm.secret"), _token, (WrongTokenError,)),
    Parser(
        "addresses and origins",
        _text("2001:db8::1%eth0", "::ffff:1.2.3.4", "https://a.b"),
        _address,
        (),
    ),
    Parser(
        "webhooks' urls",
        _text(*_URLS),
        lambda url: check_url(url, https_only=False, allowed=()),
        (RefusedUrlError,),
    ),
    Parser("retry-after", _text(*_DATES), _retry_after, ()),
    Parser(
        "gateways' words",
        _text('["g",[["shop","8c5b8b7e6f0b5b0a9a577a2f2d9d6c01",["lan"],1]]]'),
        glance.unpack,
        (ValueError,),
    ),
)
