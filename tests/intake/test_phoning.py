"""SMS and calls of tickets: whom they reach, who may ask for them, and what an answer does."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import outbound
from schemas.messages import Stored
from tests.intake.chat import Chat, held
from tests.intake.test_tickets import statuses, told
from workers.routing.intake.customer import Customer

SMS: dict[str, Any] = {"ticket": 1, "text": "Đơn của chị đã gửi đi ạ"}
CALL: dict[str, Any] = {"ticket": 1, "agent_phone": "0987 654 321"}


def reachable(chat: Chat, phone: str = "0912 345 678", verified: str | None = None) -> Chat:
    chat.intake.customers[chat.conversation.id] = Customer({"phone": phone}, verified_phone=verified)
    return chat


def answer(chat: Chat, mid: str = "sms/1", **fields: Any) -> None:  # noqa: ANN401 - of the record
    said = {"ticket": 1, "sender": "+84912345678", "text": "Cảm ơn em", **fields}
    chat.apply(chat.log.say("u1", mid, what="sms", **said))


class TestAnAgent:
    def test_sends_an_sms_to_the_customers_number_and_the_draft_opens(self) -> None:
        chat = reachable(held())
        before = (chat.conversation.last_at_ms, chat.conversation.session_agent_messages)
        _, outcome = chat.act("send_sms", **SMS)
        assert (outcome["result"]["segments"], told(chat)) == (1, [(1, "draft", "open", "lan")])
        sms = outbound.Sms.model_validate(chat.intake.outreach[-1])
        assert (sms.to, sms.text, sms.ticket) == ("+84912345678", SMS["text"], 1)
        line = Stored.model_validate(chat.intake.stored[-1])
        assert (line.kind, line.sender, line.sender_id, line.text) == ("sms", "agent", "lan", SMS["text"])
        assert line.params == {"ticket": 1, "to": "+84912345678", "segments": 1}
        assert (line.message, line.position) == (sms.message, sms.position)
        assert (chat.conversation.last_at_ms, chat.conversation.session_agent_messages) == before

    def test_calls_from_his_own_phone(self) -> None:
        chat = reachable(held())
        chat.act("start_call", **CALL)
        call = outbound.Call.model_validate(chat.intake.outreach[-1])
        assert (call.to, call.agent_phone) == ("+84912345678", "+84987654321")
        line = Stored.model_validate(chat.intake.stored[-1])
        assert (line.kind, line.text) == ("call", None)
        assert line.params == {"ticket": 1, "to": call.to, "agent_phone": call.agent_phone}

    def test_reaches_the_number_that_the_channel_vouches_for_before_any_other(self) -> None:
        chat = reachable(held(), verified="0356789012")
        chat.act("send_sms", **SMS)
        assert chat.intake.outreach[-1]["to"] == "+84356789012"

    def test_reaches_the_number_in_a_field_of_the_ticket(self) -> None:
        chat = reachable(held())
        chat.policy(ticket_fields=[{"id": "so-nhan", "name": "Số nhận hàng"}])
        assert chat.refusal("send_sms", **SMS, field="so-nhan") == "no_phone"
        chat.act("edit_ticket", ticket=1, fields={"so-nhan": "038 765 4321"})
        chat.act("send_sms", **SMS, field="so-nhan")
        assert chat.intake.outreach[-1]["to"] == "+84387654321"

    def test_cannot_when_it_is_too_long_or_leads_nowhere_or_is_not_his(self) -> None:
        chat = held()
        for what, said in (("send_sms", SMS), ("start_call", CALL)):
            assert chat.refusal(what, **said) == "no_phone"
            reachable(chat, "không có")
            assert chat.refusal(what, **said) == "no_phone"
            reachable(chat)
            assert chat.refusal(what, **said | {"ticket": 2}) == "unknown_ticket"
            assert chat.refusal(what, **said, by="minh") == "not_holder"
            chat.intake.customers.clear()
        reachable(chat)
        assert chat.refusal("send_sms", ticket=1, text="ạ" * 403) == "too_long"
        assert chat.refusal("start_call", ticket=1, agent_phone="máy bàn") == "bad_phone"
        assert chat.refusal("start_call", ticket=1, agent_phone="0912345678") == "bad_phone"
        chat.desk("blocked", holder="lan", standing="held")
        assert chat.refusal("send_sms", **SMS) == chat.refusal("start_call", **CALL) == "blocked"


def test_an_answer_by_sms_stands_in_the_ticket_and_opens_it_again() -> None:
    chat = reachable(held())
    chat.act("send_sms", **SMS)
    chat.act("edit_ticket", ticket=1, status="closed")
    before = (chat.commands(), chat.conversation.last_at_ms, chat.conversation.session)
    for _ in range(2):  # the provider posts it twice
        answer(chat)
    line = Stored.model_validate(chat.intake.stored[-1])
    assert (line.kind, line.sender, line.text) == ("sms", "customer", "Cảm ơn em")
    assert line.params == {"ticket": 1, "from": "+84912345678"}
    assert sum(one["kind"] == "sms" for one in chat.intake.stored) == 2
    assert statuses(chat) == ["open"]
    assert (chat.commands(), chat.conversation.last_at_ms, chat.conversation.session) == before


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("send_sms", SMS | {"text": ""}),
        ("send_sms", SMS | {"text": "a" * 919}),
        ("start_call", CALL | {"agent_phone": "0987\n"}),
        ("start_call", {"ticket": 1}),
    ],
    ids=str,
)
def test_what_cannot_be_asked_for_is_a_dead_letter(what: str, said: dict[str, Any]) -> None:
    chat = reachable(held())
    record = chat.log.act("u1", what, **said)
    chat.log.take()
    assert chat.intake.apply([record]).rejected == 1
