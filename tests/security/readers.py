"""More parsers: of mails, of files, of customers' words, and of what platforms' APIs answer."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Sequence
from email.message import EmailMessage
from random import Random
from typing import Any

import orjson

from config.delivery import DeliverySettings
from config.phone import PhoneSettings
from schemas.definitions import KeywordList
from schemas.phones import find_phone
from tests.mail.letters import ADDRESSES, AT, TICKET
from tests.security.bending import bent, bent_text
from tests.security.parsers import Parser
from workers.channels.channel import Skipped
from workers.channels.delivery.result import Failed
from workers.channels.mail.address import BadTokenError, is_address
from workers.channels.mail.frame import ABOVE
from workers.channels.mail.head import UnreadableMailError, read_head
from workers.channels.mail.reading import beginning, read_content
from workers.channels.phone.door import PhoneDoor
from workers.channels.phone.signature import SIGNATURE as PROVIDERS_SIGNATURE
from workers.channels.phone.signature import signature as provider_signature
from workers.channels.problem import RequestRefusedError
from workers.channels.reading.messenger_reader import MessengerReader
from workers.channels.reading.place import Place, Thread
from workers.channels.reading.reader import Access
from workers.channels.reading.zalo_reader import ZaloReader
from workers.channels.records import Webhook, outgoing
from workers.files.kind import kind_of, name_of
from workers.files.link import Content, ExpiredLinkError, Links
from workers.files.serving import headers_of
from workers.routing.intake.keywords import Keywords


def _mail() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Lan <lan@example.com>", ADDRESSES.address(ADDRESSES.token(TICKET, AT))
    mail["Subject"], mail["Date"] = "Re: Hỏi giá", "Sun, 22 Nov 2026 18:00:00 +0700"
    mail["Message-ID"] = "<a.1@example.com>"
    mail.set_content(f"Dạ em lấy 2 hộp\n\nOn Sunday somebody wrote:\n> {ABOVE['vi']}\n")
    mail.add_alternative("<p>Dạ em <b>lấy</b> 2 hộp</p><blockquote>giá?</blockquote>", subtype="html")
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="đơn hàng.pdf")
    for number, part in enumerate(each for each in mail.walk() if each.is_multipart()):
        part.set_boundary(f"b{number}")  # drawn otherwise, and a seed would not give the same again
    return mail.as_bytes()


_BOUNCE = b"""Return-Path: <>
From: MAILER-DAEMON@mail.example.com
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
Arrival-Date: Sun, 22 Nov 2026 18:00:00 +0700

Final-Recipient: rfc822; lan@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user
--b
Content-Type: message/rfc822

Message-ID: <a.1@example.com>
Subject: =?utf-8?q?H=E1=BB=8Fi_gi=C3=A1?=

x
--b--
"""
MAILS = (_mail(), _BOUNCE)


def _read_mail(raw: bytes) -> None:
    head, content = read_head(raw), read_content(raw)
    names = [one.name for one in content.attached]
    orjson.dumps((head._asdict(), content.text, beginning(raw), names))  # a record can carry it
    is_address(head.sender)
    for token in ADDRESSES.tokens(head.addressed, content.bounce.named if content.bounce else head.named):
        ADDRESSES.ticket(token, AT)


_WORDS = ("gọi em 0912 345 678 nhé", "Còn hàng không shop?", "+84 (0) 24-3825.1234", "ĐẶT HÀNG ạ")
_KEYWORDS = Keywords([KeywordList(id="mua", words=("đặt hàng", "còn hàng không"))])


def _words(text: str) -> None:
    found = find_phone(text)
    assert found is None or found.isdigit()
    _KEYWORDS.matched(text)


_HEADS = (
    *(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"\xff\xd8\xff\xe0\x00\x10JFIF", b"GIF89a", b"%PDF-1.7"),
    *(b"PK\x03\x04\x14\x00[Content_Types].xml", b"\x00\x00\x00\x18ftypmp42", b"ID3\x03", b"xin ch\xc3\xa0o"),
)
_NAMES = ("ảnh.png", "../../etc/passwd", 'a"; filename=b.exe', "hoá đơn.pdf.exe")


def _file(given: tuple[bytes, str]) -> None:
    head, name = given
    kind = kind_of(head)
    if kind is not None:
        named = name_of(name, kind)
        assert "/" not in named
        assert named.lower().endswith(kind.endings)
        for value in headers_of(Content("k", kind.media_type, named, is_shown=False), 1).values():
            assert value.isascii()
            assert value.isprintable()


_LINKS = Links(["k" * 32], 1e9)
_LINK = _LINKS.token(Content("shop/ab/ab", "image/png", "ảnh.png", is_shown=True))

_ACCESS, _PLACE = Access("1", "t", None), Place(0, 4_000_000_000_000)
_THREADS = _PLACE._replace(threads=(Thread("t_1", "7", "Lan"),))
_MESSENGER_ANSWERS = (
    {"data": [{"id": "t_1", "updated_time": "2026-11-22T08:15:00+0000",
               "participants": {"data": [{"id": "1"}, {"id": "7", "name": "Lan"}]}}],
     "paging": {"next": "x", "cursors": {"after": "QVF"}}},
    {"data": [{"id": "m_1", "created_time": "2026-11-22T08:15:00+0000", "from": {"id": "7"},
               "message": "Còn?", "attachments": {"data": [{"mime_type": "image/png",
                                         "image_data": {"url": "https://a/b"}}]}}]},
    {"id": "7", "name": "Lan", "first_name": "Lan", "profile_pic": "https://cdn.example/a.png"},
)  # fmt: skip
_ZALO_ANSWERS = (
    {"data": [{"message_id": "z1", "from_id": "7", "to_id": "1", "time": 1763800000000, "type": "text",
               "message": "Còn hàng?", "from_display_name": "Lan"}], "error": 0},
    {"data": [{"message_id": "z2", "from_id": "1", "to_id": "7", "time": 1763800000000, "type": "location",
               "location": '{"latitude":"10.7","longitude":106.6}'}], "error": 0},
    {"data": {"display_name": "Lan", "avatars": {"240": "https://a/b"}, "user_is_follower": True,
              "shared_info": {"name": "Lan", "phone": 84912345678, "address": "12 Gạch"}}, "error": 0},
)  # fmt: skip


class _Messenger(MessengerReader):
    """One that is answered without a network."""

    said: dict[str, Any]

    async def _get(self, *_: object) -> dict[str, Any] | Failed:
        return self.said


class _Zalo(ZaloReader):
    said: dict[str, Any]

    async def _get(self, *_: object) -> dict[str, Any] | Failed:
        return self.said


_SETTINGS = DeliverySettings()
_READERS = (_Messenger(None, _SETTINGS, ()), _Zalo(None, _SETTINGS))  # type: ignore[arg-type]


def _at_once(call: Awaitable[object]) -> object:
    """What it gives; it waits for nothing."""
    assert inspect.iscoroutine(call)
    try:
        call.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def _answered(content: bytes) -> None:
    """What a platform's API says, read in every way in which it is read. No object: as if it said nothing."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError:
        said = None
    for reader in _READERS:
        reader.said = said if isinstance(said, dict) else {}
        for found in (
            _at_once(reader.profile(_ACCESS, "7")),
            _at_once(reader.history(_ACCESS, _PLACE)),
            _at_once(reader.history(_ACCESS, _THREADS)),
        ):
            for record in getattr(found, "records", [found]):
                if not isinstance(record, Failed):
                    record.model_dump_json()


_CALLBACKS = [
    orjson.dumps(one)
    for one in (
        {"type": "sms.status", "reference": f"shop.{'0' * 32}", "status": "delivered", "id": "p1"},
        {"type": "call.status", "reference": f"shop.{'0' * 32}", "status": "ended", "duration_s": 61},
        {"type": "sms.received", "id": "r1", "from": "+84912345678", "to": "+842838123456", "text": "Vâng ạ"},
    )
]
_KEY = "k" * 40


class _Outreach:
    """A pool in whose database there is something about every number and message."""

    async def fetchrow(self, *_: object) -> tuple[str, str, int]:
        return "shop", "web:shop:u1", 1


_PROVIDER = PhoneDoor(
    PhoneSettings.model_validate(
        {"accounts": [{"name": "p", "url": "https://p.example/v1", "token": "t", "callback_key": _KEY}]}
    ),
    _Outreach(),
).at("p")


def _callback(body: bytes) -> None:
    headers = {PROVIDERS_SIGNATURE: provider_signature(_KEY, body, int(time.time()))}
    document = _at_once(_PROVIDER.complete(_PROVIDER.open(headers, body)))
    for item in _PROVIDER.items(document):
        if not isinstance(item, Skipped):
            outgoing(Webhook("phone", body, 1_700_000_000_000), item)


def _letter(random: Random) -> bytes:
    return bent(random, MAILS)


def _sent(random: Random, whole: Sequence[str]) -> str:
    """Text as the server gives a request's address and headers: without halves of characters."""
    return bent_text(random, whole).encode("utf-8", "replace").decode()


_ANSWERS = [orjson.dumps(each) for each in (*_MESSENGER_ANSWERS, *_ZALO_ANSWERS)]

READERS: tuple[Parser, ...] = (
    Parser("mails", _letter, _read_mail, (UnreadableMailError, BadTokenError)),
    Parser(
        "providers' callbacks", lambda random: bent(random, _CALLBACKS), _callback, (RequestRefusedError,)
    ),
    Parser("customers' words", lambda random: bent_text(random, _WORDS), _words, ()),
    Parser("files", lambda random: (bent(random, _HEADS), _sent(random, _NAMES)), _file, ()),
    Parser("links to files", lambda random: _sent(random, [_LINK]), _LINKS.read, (ExpiredLinkError,)),
    Parser("platforms' answers", lambda random: bent(random, _ANSWERS), _answered, ()),
)
