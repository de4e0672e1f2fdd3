"""The whole way of an e-mail: by a mail server to the customer, and his reply back into the ticket."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from obstore.store import LocalStore

from config.attachments import AttachmentsSettings
from schemas import inbound
from schemas.envelope import Kind
from schemas.ids import conversation_id
from schemas.receipts import Outreach
from tests.files.test_files import chunks_of
from tests.files.test_kind import picture
from tests.intake.conftest import Run
from tests.intake.log import PAGE, WORKSPACE, Log, key_of, published
from tests.mail.bounces import report
from tests.mail.letters import ADDRESSES, DOOR_KEY, settings
from tests.mail.mail_server import MailServer, mail_server
from tests.mail.way import Way
from workers.channels import records
from workers.channels.channel import Item, Refused, Skipped
from workers.channels.delivery.vault import Vault
from workers.channels.mail import page_rows
from workers.channels.mail.door import MailDoor
from workers.channels.mail.mailer import Mailer
from workers.channels.mail.parcel import DAY_S
from workers.channels.mail.signature import SIGNATURE, signature
from workers.channels.mail.smtp import Tls
from workers.channels.outreach import rows
from workers.channels.outreach.verdict import UNANSWERED_MAX
from workers.channels.problem import MalformedError, OverloadedError, WrongSignatureError
from workers.files import rows as file_rows
from workers.files.files import Files
from workers.files.link import Links
from workers.files.storage import Storage, StorageDownError
from workers.gateway.queries import transcript
from workers.gateway.queries.scope import Scope
from workers.gateway.queries.where import Where
from workers.runtime.batch import Batch
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers
KEY, CONVERSATION, EMAIL = key_of("an"), conversation_id(key_of("an")), "an@example.com"
VAULT = Vault(["a key of the tests for logins"])
QUICK = {"retry_first_s": 0.2, "retry_last_s": 0.2, "request_timeout_s": 5.0, "reply_days": 3_650}
NOTHING: frozenset[str] = frozenset()
SCOPE = Scope(WORKSPACE, "lan", "main", NOTHING, NOTHING, False, NOTHING)


async def test_a_mail_goes_out_comes_back_and_stands_in_its_ticket(
    database: str,
    connection: Connection,
    run: Run,
    log: Log,
) -> None:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool, mail_server() as server:
        way = Way(pool, database, log, run, mail=settings(**QUICK))
        await _opened(way, "Hỏi giá", "Đổi hàng")
        unset = await _mail(way, "chưa cài đặt")
        await way.until(unset, "failed", "mail_not_set")
        await _in_order_and_once(way, server)
        await _only_with_tls(way, server)
        await _and_back(way, server)
        await _as_the_agent_sees_it(connection, unset)


async def _opened(way: Way, *subjects: str) -> None:
    """A customer has written, his address is known, and he has a ticket of each subject."""
    way.log.say("an", "m1")
    await way.settle()
    await way.act("set_profile", email=EMAIL)
    for subject in subjects:
        await way.act("open_ticket", subject=subject)


async def _mail(way: Way, text: str, ticket: int = 1, subject: str = "báo giá") -> UUID:
    return await way.reach("send_mail", ticket=ticket, text=text, subject=subject)


async def _set_page(way: Way, server: MailServer, tls: Tls = "none") -> None:
    found = page_rows.mail_of("127.0.0.1", server.port, tls, None, "cskh@shop.example", "Shop", "vi")
    await page_rows.set_page(way.pool, VAULT, PAGE, found)


async def _in_order_and_once(way: Way, server: MailServer) -> None:
    """Refused for a moment, lost with a worker, refused for good: in its ticket's order, each mail once."""
    await _set_page(way, server)
    lost = await _mail(way, "một", subject="một")
    # Its worker was killed after the server had it, before that was stored.
    await way.pool.execute(
        "UPDATE outreach SET state = 'sending', attempts = 1, attempted_at = now() - interval '1 hour' "
        "WHERE message_id = $1",
        lost,
    )
    token = await way.pool.fetchval("SELECT token FROM outreach WHERE message_id = $1", lost)
    before = EmailMessage()
    before["Message-ID"], before["Subject"] = ADDRESSES.message_id(token, lost), "[#1] một"
    server.kept[before["Message-ID"]], server.order = before, ["[#1] một"]
    server.answers += ["451 4.7.1 greylisted", "452 full"]
    others = [await _mail(way, text, subject=text) for text in ("hai", "ba")]
    beside = await _mail(way, "khác", ticket=2, subject="khác")
    assert {one.state for one in await way.told()} == {"queued", "failed"}
    async with way.running(Mailer(way.settings.mail, VAULT)):
        for message in (lost, *others, beside):
            await way.until(message, "sent")
    of_first = [subject for subject in server.order if subject.startswith("[#1]")]
    assert of_first == ["[#1] một", "[#1] hai", "[#1] ba"]
    assert server.given[before["Message-ID"]] == 1
    last = server.kept[ADDRESSES.message_id(token, others[1])]
    former = [ADDRESSES.message_id(token, one) for one in (lost, others[0])]
    assert (last["References"], last["In-Reply-To"]) == (" ".join(former), former[-1])
    assert {(one.message, one.state) for one in await way.told()} == {
        (message, "sent") for message in (lost, *others, beside)
    }
    assert await way.pool.fetchval("SELECT count(*) FROM outreach WHERE content IS NOT NULL") == 0
    server.unknown.add(EMAIL)
    refused = await _mail(way, "không ai")
    async with way.running(Mailer(way.settings.mail, VAULT)):
        await way.until(refused, "failed", "mail_address")
    server.unknown.clear()


async def _only_with_tls(way: Way, server: MailServer) -> None:
    """A server that cannot keep it secret gets nothing, unless the operator has said so."""
    await _set_page(way, server, "starttls")
    server.commands.clear()
    mail = await _mail(way, "bí mật")
    async with way.running(Mailer(way.settings.mail, VAULT)):
        await way.until(mail, "queued", "mail_down")
        assert server.commands == []
        await _set_page(way, server)
        await way.until(mail, "sent")


async def _and_back(way: Way, server: MailServer) -> None:
    door = MailDoor(way.settings.mail, way.pool)
    await way.act("edit_ticket", ticket=1, status="closed")
    to = next(iter(server.kept.values()))["Message-ID"]
    reply_to = list(server.kept.values())[-1]["Reply-To"]
    assert [type(one) for one in await _posted(door, _reply(to=str(reply_to)))] == [inbound.Mail]
    # To another address, but it says what it answers.
    (record,) = await _posted(door, _reply(to="cskh@shop.example", references=to))
    assert isinstance(record, inbound.Mail)
    assert (record.key, record.workspace, record.ticket, record.text) == (KEY, WORKSPACE, 1, "Chị lấy 2 hộp")
    batch = await _comes(way, record)
    ((_, change),) = [each for each in published(batch, "messages") if each[0] == "ticket_changed"]
    assert (change["former_status"], change["status"], change["by"]) == ("closed", "open", None)
    assert [what for what, _ in published(await _comes(way, record), "messages")] == []

    forged = str(reply_to).replace("reply+", "reply+a", 1)
    token = ADDRESSES.token(uuid4(), datetime.now(UTC))
    for address in ("cskh@shop.example", forged, ADDRESSES.address(token)):
        (refused,) = await _posted(door, _reply(to=address))
        assert isinstance(refused, Refused)
        assert (refused.reason, refused.original["text"]) == ("not_a_reply", "Chị lấy 2 hộp")
    await _bounced(way, door)
    automatic = _reply(to=str(reply_to), automatic=True)
    assert await _posted(door, automatic) == [Skipped("automatic")]
    for headers in ({}, {SIGNATURE: signature("another key", automatic)}, {SIGNATURE: "sha256=0"}):
        with pytest.raises(WrongSignatureError):
            door.open(headers, automatic)
    with pytest.raises(MalformedError):
        await door.complete(b"Content-Type: x" + b";" * 10_000)


async def _bounced(way: Way, door: MailDoor) -> None:
    """A mail server on the way gives one up: its agent is told, however often it is said and by whom not."""
    row = await way.pool.fetchrow("SELECT message_id, token FROM outreach WHERE state = 'sent' LIMIT 1")
    message_id = ADDRESSES.message_id(row["token"], row["message_id"])
    assert await _posted(door, report(message_id, "delayed")) == [Skipped("automatic")]
    assert await _posted(door, report(message_id.replace("<", "<a"))) == [Skipped("automatic")]
    for _ in range(2):
        (bounce,) = await _posted(door, report(message_id))
        assert isinstance(bounce, Outreach)
        record = records.outgoing(records.Webhook("mail", b"", 0), bounce)
        assert record.key is not None
        await way.handle([(record.key, record.value, record.headers)], "receipts")
    await way.until(row["message_id"], "failed", "mail_address")
    told = [one for one in await way.told() if one.message == row["message_id"]]
    assert [(one.state, one.reason) for one in told] == [("failed", "mail_address")]
    # As it was, for what comes next.
    await way.pool.execute("UPDATE outreach SET state = 'sent' WHERE message_id = $1", row["message_id"])


async def _as_the_agent_sees_it(reader: Connection, unset: UUID) -> None:
    found = await transcript.read_exchange(Where(reader, SCOPE, CONVERSATION, "main"), 1, None, 50, "vi")
    assert [(line.sender, line.text) for line in found.lines] == [
        *(("agent", text) for text in ("chưa cài đặt", "một", "hai", "ba", "không ai", "bí mật")),
        ("customer", "Chị lấy 2 hộp"),
    ]
    assert [line.delivery and line.delivery.state for line in found.lines] == [
        *("failed", "sent", "sent", "sent", "failed", "sent"),
        None,
    ]
    assert found.lines[0].message == unset
    assert found.lines[0].delivery is not None
    assert found.lines[0].delivery.advice
    assert found.lines[-1].params["from"] == EMAIL
    last = await transcript.read_exchange(Where(reader, SCOPE, CONVERSATION, "main"), 1, None, 2, "vi")
    assert ([line.text for line in last.lines], last.has_more) == (["bí mật", "Chị lấy 2 hộp"], True)
    nothing = await transcript.read_exchange(Where(reader, SCOPE, CONVERSATION, "main"), 3, None, 2, "vi")
    assert (nothing.lines, nothing.has_more) == ((), False)


async def test_a_mail_without_an_answer_holds_up_its_ticket_only_and_is_given_a_few_times(
    database: str, run: Run, log: Log
) -> None:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool, mail_server() as server:
        way = Way(pool, database, log, run, mail=settings(**QUICK))
        await _opened(way, "Hỏi giá", "Đổi hàng")
        await _set_page(way, server)
        server.held["[#1] một"] = asyncio.Event()
        held = await _mail(way, "một", subject="một")
        async with way.running(Mailer(way.settings.mail, VAULT)):
            others = [await _mail(way, text, ticket=2, subject=text) for text in ("hai", "ba")]
            for message in others:
                await way.until(message, "sent")
            # Asked for while the first is still under way.
            await way.until(await _mail(way, "bốn", ticket=2, subject="bốn"), "sent")
            await way.until(held, "sending")
            server.held["[#1] một"].set()
            await way.until(held, "sent")
        server.held["[#1] năm"] = asyncio.Event()
        silent = await _mail(way, "năm", subject="năm")
        impatient = settings(**QUICK, answer_timeout_s=0.2)
        async with way.running(Mailer(impatient, VAULT)):
            await way.until(silent, "failed", "no_answer")
        assert sorted(server.given.values()) == [1, 1, 1, 1, UNANSWERED_MAX]
        killed = await _mail(way, "sáu", subject="sáu")
        for state in ["queued"] * (UNANSWERED_MAX - 1) + ["failed"]:
            await pool.execute(
                "UPDATE outreach SET state = 'sending', attempted_at = now() - interval '1 hour' "
                "WHERE message_id = $1",
                killed,
            )
            assert await rows.find_lost(pool, ["mail"], 60.0) == 1
            await way.until(killed, state, "no_answer")
        assert await pool.fetchval("SELECT count(*) FROM outreach WHERE content IS NOT NULL") == 0


async def test_what_is_attached_to_a_reply_is_kept_once_before_it_is_taken(
    database: str, run: Run, log: Log, tmp_path: Path
) -> None:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool:
        way = Way(pool, database, log, run, mail=settings(**QUICK))
        await _opened(way, "Hỏi giá")
        await _mail(way, "một")
        own = AttachmentsSettings(folder=tmp_path, file_bytes_max=100_000)
        storage = Away(own)
        door = MailDoor(way.settings.mail, pool, Files(own, storage, Links(["k" * 32], 3_600)))
        token = await pool.fetchval("SELECT token FROM outreach")
        body = _with_files(ADDRESSES.address(token))
        with pytest.raises(OverloadedError):
            await _posted(door, body)
        (record,) = await _posted(door, body)
        assert isinstance(record, inbound.Mail)
        pdf, photo, *named = record.attachments
        assert [(one.type, one.name) for one in (pdf, photo)] == [("file", "giá.pdf"), ("image", "ảnh.png")]
        assert [(one.type, one.name, one.file) for one in named] == [
            ("file", name, None) for name in ("x.exe", "trống.txt", "lớn.pdf")
        ]
        assert await _posted(door, body) == [record], "the mail server sends it again"
        await _comes(way, record)
        rows = await pool.fetch("SELECT file_id, state, message_id IS NOT NULL FROM file")
        assert {tuple(row) for row in rows} == {(one.file, "stored", True) for one in (pdf, photo)}
        assert photo.file is not None
        assert len([key for key in storage.asked if key.endswith(f"/{photo.file}")]) == 1, "kept once"


@pytest.mark.parametrize("bounces", ["page", "reply"])
async def test_a_report_goes_to_the_page_or_into_the_ticket_and_tells_the_agent(
    database: str, run: Run, log: Log, bounces: str
) -> None:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool, mail_server() as server:
        way = Way(pool, database, log, run, mail=settings(**QUICK, bounces=bounces))
        await _opened(way, "Hỏi giá")
        await _set_page(way, server)
        first, second = [await _mail(way, text) for text in ("một", "hai")]
        async with way.running(Mailer(way.settings.mail, VAULT)):
            await way.until(second, "sent")
        token = await pool.fetchval("SELECT token FROM outreach WHERE message_id = $1", first)
        mail = ADDRESSES.message_id(token, first)
        envelope = {"page": "cskh@shop.example", "reply": ADDRESSES.address(token)}[bounces]
        assert set(server.senders.values()) == {envelope}
        assert server.kept[mail]["From"].addresses[0].addr_spec == "cskh@shop.example"
        door = MailDoor(way.settings.mail, pool)
        away = _reply(to=envelope, references=mail, automatic=True)
        assert await _posted(door, away) == [Skipped("automatic")], "who is on holiday answers the envelope"
        (bounce,) = await _posted(door, report(mail, to=envelope))
        assert isinstance(bounce, Outreach)
        record = records.outgoing(records.Webhook("mail", b"", 0), bounce)
        assert record.key is not None
        await way.handle([(record.key, record.value, record.headers)], "receipts")
        await way.until(first, "failed", "mail_address")
        await way.until(second, "sent")


async def test_what_an_agent_attaches_goes_with_the_mail_or_as_a_link(
    database: str, connection: Connection, run: Run, log: Log, tmp_path: Path
) -> None:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool, mail_server() as server:
        way = Way(pool, database, log, run, mail=settings(**QUICK, files_bytes_max=50_000))
        await _opened(way, "Hỏi giá")
        await _set_page(way, server)
        own = AttachmentsSettings(folder=tmp_path, public_url="https://chat.example.com")
        files = Files(own, Storage(LocalStore(tmp_path)), Links(["k" * 32], 3_600))
        pdf, photo = b"%PDF-1.7\n" + bytes(60_000), picture("PNG")
        named = [await _kept(pool, files, *one) for one in ((pdf, "giá.pdf"), (photo, "ảnh.png"))]
        foreign = await _kept(pool, files, photo, "x.png", key_of("binh"))
        sent, stolen = [await _with(way, *each) for each in (named, [foreign])]
        async with way.running(Mailer(way.settings.mail, VAULT, files)):
            await way.until(sent, "sent")
            await way.until(stolen, "failed", "attachment_gone")
        (mail,) = server.kept.values()
        body = mail.get_body(("plain",))
        assert body is not None
        (enclosed,) = mail.iter_attachments()
        assert (enclosed.get_filename(), enclosed.get_content()) == ("ảnh.png", photo)
        (link,) = [line for line in body.get_content().splitlines() if line.startswith("https://")]
        written_at = await pool.fetchval("SELECT written_at FROM outreach WHERE message_id = $1", sent)
        file = (await file_rows.read(pool, WORKSPACE, [named[0]]))[named[0]]
        token = files.links.lasting(30 * DAY_S).token(file.content, written_at.timestamp())
        assert link == f"https://chat.example.com/v1/files/{token}"
        await _cannot_go(way, files, named[0])
        lines = await transcript.read_exchange(
            Where(connection, SCOPE, CONVERSATION, "main"), 1, None, 9, "vi"
        )
        assert [one.file for one in lines.lines[0].attachments] == named
        assert await pool.fetchval("SELECT count(*) FROM file WHERE message_id = $1", sent) == 2


async def _cannot_go(way: Way, files: Files, large: str) -> None:
    """Too large to go within, and there is no address at which it could be fetched; or no files at all."""
    hidden = Files(AttachmentsSettings(), files.storage, files.links)
    for worker, reason in ((hidden, "files_not_set"), (None, "attachment_gone")):
        message = await _with(way, large)
        async with way.running(Mailer(way.settings.mail, VAULT, worker)):
            await way.until(message, "failed", reason)


async def _with(way: Way, *files: str) -> UUID:
    attachments = [{"type": "file", "file": file} for file in files]
    return await way.reach("send_mail", ticket=1, text="báo giá", attachments=attachments)


async def _kept(pool: asyncpg.Pool, files: Files, data: bytes, name: str, key: str = KEY) -> str:
    file = await files.take(pool, WORKSPACE, conversation_id(key), "lan", chunks_of(data), name)
    return file.id


class Away(Storage):
    """Is away for the first file that comes."""

    def __init__(self, settings: AttachmentsSettings) -> None:
        super().__init__(LocalStore(settings.folder.resolve()))
        self.asked: list[str] = []

    async def keep(self, key: str, path: Path) -> None:
        self.asked.append(key)
        if len(self.asked) == 1:
            raise StorageDownError
        await super().keep(key, path)


def _with_files(to: str) -> bytes:
    mail = message_from_bytes(_reply(to=to), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    for name, data in (
        ("giá.pdf", b"%PDF-1.7\n" + bytes(100)),
        ("ảnh.png", picture("PNG")),
        ("x.exe", b"MZ" + bytes(100)),
        ("trống.txt", b""),
        ("lớn.pdf", b"%PDF-1.7\n" + bytes(100_000)),
    ):
        mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def _reply(*, to: str, references: str | None = None, automatic: bool = False) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = f"An <{EMAIL}>", to, "<reply-1@example.com>"
    mail["Subject"] = "Re: báo giá"
    if references is not None:
        mail["References"] = references
    if automatic:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("Chị lấy 2 hộp\n\nOn Sun, Nov 22, 2026 Shop <cskh@shop.example> wrote:\n> một\n")
    return mail.as_bytes()


async def _posted(door: MailDoor, body: bytes) -> list[Item]:
    document = door.open({SIGNATURE: signature(DOOR_KEY, body)}, body)
    return list(door.items(await door.complete(document)))


async def _comes(way: Way, record: inbound.Mail) -> Batch:
    value = orjson.loads(record.model_dump_json(exclude_none=True))
    way.log.append(Kind("inbound", "mail"), record.key, value)
    return await way.settle()
