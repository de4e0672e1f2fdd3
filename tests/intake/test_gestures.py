"""What customers do beside writing, and what is learnt of them: told once, kept, and nobody is asked."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.base import Json
from schemas.envelope import Kind
from schemas.messages import CustomerChanged, Marked
from tests.intake.chat import KEY, USER, Chat, held, started
from tests.intake.log import PAGE
from workers.routing.intake.customer import HAS_PHONE, Customer

CHANNEL, _, ACCOUNT = PAGE.partition(":")
WHO: dict[str, Json] = {"channel": CHANNEL, "account": ACCOUNT, "user": USER}


def make(chat: Chat, what: str, user: str = USER, **fields: Json) -> list[tuple[str, dict[str, Any]]]:
    """A gesture comes; what is told of it on messages. No line comes of it, no command but of tags."""
    lines, told, commands = len(chat.intake.stored), len(chat.intake.told), len(chat.intake.commands)
    value = {**WHO, "user": user, **fields}
    chat.apply(chat.log.append(Kind("inbound", what), f"{PAGE}:{user}", value))
    assert len(chat.intake.stored) == lines
    assert all(said["by"] == "nobody" for _, said in chat.intake.commands[commands:])
    return chat.intake.told[told:]


def customer(chat: Chat) -> Customer:
    return chat.intake.customers.get(chat.conversation.id, Customer())


def test_a_reaction_is_told_once_until_it_changes() -> None:
    chat = held()
    ((what, value),) = make(chat, "reaction", of="m1", emoji="❤️")
    marked = Marked.model_validate(value)
    assert (what, marked.mark, marked.value, marked.number) == ("marked", "customer_reaction", "❤️", 0)
    assert make(chat, "reaction", of="m1", emoji="❤️") == []
    ((_, page),) = make(chat, "reaction", of="m1", emoji="👍", by="page")
    assert page["mark"] == "page_reaction"
    ((_, back),) = make(chat, "reaction", of="m1")
    assert back["value"] is None
    assert make(chat, "reaction", of="m1") == []
    assert make(chat, "reaction", of="never marked") == []


def test_who_has_left_ends_his_session_unless_he_has_written_since() -> None:
    chat = held()
    chat.log.wait(seconds=120)
    chat.customer("em đây")
    chat.log.wait(seconds=50)
    assert make(chat, "left", gone_ms=60_000) == []
    assert chat.conversation.session_open
    chat.log.wait(seconds=10)
    for _ in range(2):  # told again, nothing is open any more
        chat.apply(chat.log.append(Kind("inbound", "left"), KEY, {**WHO, "gone_ms": 60_000}))
    what, ended = chat.intake.commands[-1]
    assert (what, ended["ended_by"], chat.commands().count("session_ended")) == ("session_ended", "left", 1)
    assert [one.ended_by for one in chat.intake.endings] == ["left"]
    ((told, ticket),) = chat.intake.told[-1:]
    assert (told, ticket["status"], ticket["agent"]) == ("ticket_changed", "open", "lan")


def test_who_leaves_without_having_written_leaves_nothing() -> None:
    chat = Chat()
    assert make(chat, "left", gone_ms=0) == []
    assert chat.intake.find(USER) is None


def test_the_latest_edit_holds_whichever_comes_first() -> None:
    chat = held()
    ((_, second),) = make(chat, "edit", of="m1", text="hai", number=2)
    assert (second["mark"], second["value"], second["number"]) == ("edit", "hai", 2)
    assert make(chat, "edit", of="m1", text="một", number=1) == []
    assert make(chat, "edit", of="m1", text="hai", number=2) == []
    ((_, third),) = make(chat, "edit", of="m1", text="ba", number=3)
    assert third["value"] == "ba"


def test_a_mark_in_a_conversation_that_nobody_began_is_nothing() -> None:
    chat = Chat()
    assert make(chat, "reaction", of="m1", emoji="❤️") == []
    assert make(chat, "edit", of="m1", text="hai") == []
    assert chat.intake.find(USER) is None


def test_who_tells_of_himself_before_he_writes_is_known_when_he_does() -> None:
    chat = Chat()
    ((what, value),) = make(
        chat, "profile", name="Trần Thị Lan", phone="84912345678", customer_name="Lan 🌸", follows=True
    )
    changed = CustomerChanged.model_validate(value)
    assert (what, changed.profile, changed.tags, changed.follows, changed.by) == (
        "customer_changed",
        {"name": "Trần Thị Lan", "phone": "0912345678"},
        (HAS_PHONE,),
        True,
        None,
    )
    assert (chat.conversation.position, chat.conversation.session) == (0, 0)
    chat.customer()
    ((what, route),) = chat.intake.commands
    assert (what, route["tags"]) == ("route", [HAS_PHONE])
    assert chat.conversation.customer_name == "Lan 🌸"


def test_what_is_told_fills_what_is_not_known_and_overwrites_nothing() -> None:
    chat = held()
    chat.act("set_profile", name="Chị Lan", phone="0911111111")
    ((_, value),) = make(chat, "profile", name="Trần Thị Lan", phone="84922222222", address="5 Lê Lợi")
    assert value["profile"] == {"name": "Chị Lan", "phone": "0911111111", "address": "5 Lê Lợi"}
    assert (value["suggested_phone"], value["tags"]) == ("0922222222", [HAS_PHONE])
    assert make(chat, "profile", phone="0911 111 111", address="6 Lê Lợi") == []
    ((_, gone),) = make(chat, "profile", follows=False)
    assert gone["follows"] is False


def test_a_number_in_a_message_is_suggested_and_tagged_before_the_desk_is_asked() -> None:
    chat = Chat()
    chat.customer("sđt của em 0912.345.678 ạ")
    ((what, route),) = chat.intake.commands
    assert (what, route["tags"]) == ("route", [HAS_PHONE])
    ((what, value),) = chat.intake.told
    assert (what, value["suggested_phone"], value["profile"]) == ("customer_changed", "0912345678", {})
    chat.customer("nhắc lại: +84 912 345 678")
    assert len(chat.intake.told) == 1, "it is known already"
    chat.customer("đổi số 0987654321 nhé")
    assert customer(chat).suggested_phone == "0987654321"


def test_a_tag_that_the_channel_gives_rise_to_is_told_the_desk_at_once() -> None:
    chat = held()
    make(chat, "profile", phone="84912345678")
    assert chat.commands() == ["route", "touched"]
    _, touched = chat.intake.commands[-1]
    assert (touched["by"], touched["tags"]) == ("nobody", [HAS_PHONE])


def test_a_number_in_a_message_is_told_by_the_same_command_as_the_message() -> None:
    chat = held()
    chat.customer("0912345678")
    chat.customer()
    assert chat.commands() == ["route", "touched"]
    _, touched = chat.intake.commands[-1]
    assert (touched["by"], touched["tags"]) == ("customer", [HAS_PHONE])


def test_a_tag_that_was_taken_away_comes_back_with_another_number_only() -> None:
    chat = Chat()
    chat.customer("0912345678")
    chat.act("set_labels", remove_tags=[HAS_PHONE])
    chat.customer("0912345678")
    assert customer(chat).tags == ()
    chat.customer("0987654321")
    assert customer(chat).tags == (HAS_PHONE,)


def test_a_suggestion_that_is_taken_over_is_none_any_more() -> None:
    chat = Chat()
    chat.customer("0912345678")
    chat.act("set_profile", phone="0912 345 678")
    assert customer(chat).suggested_phone is None
    chat.customer("số em 0912345678")
    assert customer(chat).suggested_phone is None


def test_a_number_in_what_is_said_to_a_customer_is_not_his() -> None:
    chat = started()
    chat.apply(chat.log.say(USER, "e1", what="echo", author="bot", text="Hotline 0912345678"))
    assert customer(chat) == Customer()


def test_of_a_customer_who_is_kept_out_nothing_is_learnt() -> None:
    chat = held()
    chat.desk("blocked")
    chat.customer("0912345678")
    assert customer(chat) == Customer()


@pytest.mark.parametrize(
    "said", [{"phone": "0912345678"}, {"name": "xxx"}, {"follows": False}, {"customer_name": "xxx"}]
)
def test_what_a_customer_who_is_kept_out_tells_of_himself_is_kept_out_too(said: dict[str, Json]) -> None:
    chat = held()
    was = chat.conversation.customer_name, customer(chat)
    chat.desk("blocked")
    assert make(chat, "profile", **said) == []
    assert (chat.conversation.customer_name, customer(chat)) == was
    chat.desk("unblocked")
    ((what, _),) = make(chat, "profile", **said)
    assert what == "customer_changed"


def test_the_name_that_a_customer_gives_himself_while_he_is_kept_out_is_kept_out_too() -> None:
    chat = held()
    was = chat.conversation.customer_name
    chat.desk("blocked")
    chat.customer("alo", customer_name="xxx")
    assert chat.conversation.customer_name == was


def test_picture_and_what_brought_him_come_with_a_message() -> None:
    chat = Chat()
    chat.customer(customer_picture="https://cdn/p.jpg", referral={"source": "ADS", "ref": "hoa"})
    assert customer(chat) == Customer(picture="https://cdn/p.jpg", referral={"source": "ADS", "ref": "hoa"})


def test_what_another_app_answers_is_read_along_and_nobody_is_asked() -> None:
    chat = Chat()
    chat.customer(standby=True)
    assert (chat.commands(), chat.conversation.session_open, len(chat.intake.stored)) == ([], False, 1)
    chat.apply(chat.log.say(USER, "handed over", what="postback", text=None))
    assert chat.commands() == ["route"]
    assert chat.conversation.session_open
    chat.customer(standby=True)
    assert chat.conversation.session_customer_messages == 2, "an open session goes on"


@pytest.mark.parametrize(("payload", "params"), [("YES", {"payload": "YES"}), (None, None)])
def test_a_quick_reply_keeps_what_it_says_to_programs(payload: str | None, params: Json) -> None:
    chat = Chat()
    chat.customer("Có", payload=payload)
    assert chat.intake.stored[0].get("params") == params
    assert chat.intake.stored[0]["key"] == KEY


def test_what_a_customer_quotes_is_kept_as_what_an_agent_quotes_is() -> None:
    chat = Chat()
    chat.customer("Cái này ạ", reply_to="m_0")
    assert chat.intake.stored[0].get("params") == {"reply_to": "m_0"}
