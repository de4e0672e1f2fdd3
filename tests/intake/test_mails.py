"""E-mails of tickets: who may write them, what they change, and what a reply does."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import outbound
from schemas.messages import Stored
from tests.intake.chat import Chat, held, started
from tests.intake.test_tickets import silence, statuses, told
from workers.routing.intake.customer import Customer

EMAIL = "lan@example.com"
WORDS: dict[str, Any] = {"ticket": 1, "text": "Dạ em gửi chị báo giá"}


def reachable(chat: Chat, email: str = EMAIL) -> Chat:
    chat.intake.customers[chat.conversation.id] = Customer({"email": email})
    return chat


def answer(chat: Chat, mid: str = "mail/1", ticket: int = 1, **fields: Any) -> None:  # noqa: ANN401 - of the record
    said = {"ticket": ticket, "sender": EMAIL, "subject": "Re: báo giá", "text": "Chị lấy 2 hộp", **fields}
    chat.apply(chat.log.say("u1", mid, what="mail", **said))


class TestAnAgent:
    def test_writes_to_the_customers_address_and_the_draft_opens(self) -> None:
        chat = reachable(held())
        before = (chat.conversation.last_at_ms, chat.conversation.session_agent_messages)
        _, outcome = chat.act("send_mail", **WORDS, subject="Báo giá")
        assert (outcome["result"]["ticket"], told(chat)) == (1, [(1, "draft", "open", "lan")])
        mail = outbound.Mail.model_validate(chat.intake.outreach[-1])
        assert (mail.to, mail.subject, mail.text, mail.ticket) == (EMAIL, "Báo giá", WORDS["text"], 1)
        line = Stored.model_validate(chat.intake.stored[-1])
        assert (line.kind, line.sender, line.sender_id, line.text) == ("mail", "agent", "lan", WORDS["text"])
        assert line.params == {"ticket": 1, "to": EMAIL, "subject": "Báo giá"}
        assert (line.message, line.position) == (mail.message, mail.position)
        assert (chat.conversation.last_at_ms, chat.conversation.session_agent_messages) == before

    def test_names_files_that_go_with_it(self) -> None:
        chat = reachable(held())
        file = {"type": "file", "name": "giá.pdf", "file": "a" * 32}
        chat.act("send_mail", **WORDS, attachments=[file])
        assert chat.intake.outreach[-1]["attachments"] == chat.intake.stored[-1]["attachments"] == [file]

    def test_without_a_subject_uses_the_tickets(self) -> None:
        chat = reachable(held())
        chat.act("open_ticket", subject="Đổi hàng")
        chat.act("send_mail", **WORDS)
        assert chat.intake.outreach[-1]["subject"] == "Đổi hàng"
        assert len(told(chat)) == 1

    def test_cannot_when_there_is_no_such_ticket_or_address_or_it_is_not_his(self) -> None:
        chat = held()
        assert chat.refusal("send_mail", **WORDS) == "no_address"
        reachable(chat, "lan@example.com\r\nBcc: other@example.com")
        assert chat.refusal("send_mail", **WORDS) == "no_address"
        reachable(chat)
        assert chat.refusal("send_mail", **WORDS | {"ticket": 2}) == "unknown_ticket"
        assert chat.refusal("send_mail", **WORDS, by="minh") == "not_holder"
        chat.desk("blocked", holder="lan", standing="held")
        assert chat.refusal("send_mail", **WORDS) == "blocked"


class TestAReply:
    def test_stands_in_the_transcript_and_touches_no_session(self) -> None:
        chat = reachable(held())
        chat.act("send_mail", **WORDS)
        silence(chat)
        before = (chat.commands(), chat.conversation.last_at_ms, chat.conversation.session)
        answer(chat, attachments=[{"type": "file", "name": "hóa đơn.pdf"}])
        line = Stored.model_validate(chat.intake.stored[-1])
        assert (line.kind, line.sender, line.text) == ("mail", "customer", "Chị lấy 2 hộp")
        assert line.params == {"ticket": 1, "from": EMAIL, "subject": "Re: báo giá"}
        assert [one.name for one in line.attachments] == ["hóa đơn.pdf"]
        assert (chat.commands(), chat.conversation.last_at_ms, chat.conversation.session) == before
        assert not chat.conversation.session_open

    def test_opens_a_closed_ticket_and_no_other(self) -> None:
        chat = reachable(held())
        for _ in range(2):
            chat.act("open_ticket")
        for number in (1, 2):
            chat.act("edit_ticket", ticket=number, status="closed")
        answer(chat)
        assert statuses(chat) == ["open", "closed"]
        assert told(chat)[-1] == (1, "closed", "open", None)
        answer(chat, "mail/2")
        assert len(told(chat)) == 5

    def test_that_comes_twice_is_once_in_the_transcript(self) -> None:
        chat = reachable(held())
        answer(chat)
        lines = len(chat.intake.stored)
        answer(chat)
        assert len(chat.intake.stored) == lines

    def test_of_a_blocked_customer_is_kept_and_opens_nothing(self) -> None:
        chat = reachable(held())
        chat.act("open_ticket")
        chat.act("edit_ticket", ticket=1, status="closed")
        chat.desk("blocked", holder="lan", standing="held")
        lines = len(chat.intake.stored)
        answer(chat)
        assert (len(chat.intake.stored), statuses(chat)) == (lines + 1, ["closed"])

    def test_suggests_no_phone_number_of_a_signature(self) -> None:
        chat = started()
        answer(chat, text="cảm ơn\n-- \nCông ty, 0912 345 678")
        assert chat.intake.customers == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"subject": "a\r\nBcc: x"},
        {"ticket": 0},
        {"attachments": [{"type": "file", "url": "https://cdn.example/a.pdf"}]},
    ],
    ids=str,
)
def test_a_mail_that_cannot_be_one_is_a_dead_letter(fields: dict[str, Any]) -> None:
    chat = reachable(held())
    record = chat.log.act("u1", "send_mail", **WORDS | fields)
    chat.log.take()
    assert chat.intake.apply([record]).rejected == 1
