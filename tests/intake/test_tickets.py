"""Tickets: when a session leaves one, what agents make of it, and what each field may say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.tickets import TicketChange, TicketChanged, TicketField
from tests.intake.chat import Chat, held, offered, started
from tests.intake.in_memory import SILENCE_MS
from tests.intake.log import WORKSPACE
from workers.routing.intake.ticket import BY_HAND, Ticket, edited, refusal
from workers.routing.outcomes import Refusal

FIELDS: tuple[dict[str, Any], ...] = (
    {"id": "ghi-chu", "name": "Ghi chú", "chars_max": 5},
    {"id": "so-luong", "name": "Số lượng", "type": "number", "least": 1, "most": 10},
    {"id": "ngay", "name": "Ngày giao", "type": "date"},
    {"id": "nguon", "name": "Nguồn", "type": "choice", "choices": ["facebook", "zalo"], "required": True},
    {"id": "gap", "name": "Gấp", "type": "yes_no"},
)
KNOWN = tuple(TicketField.model_validate(one) for one in FIELDS)
DRAFT = Ticket(1, 1, 1, 0, 0)
STATUSES = ("draft", "open", "pending", "closed")


def with_fields(chat: Chat) -> Chat:
    chat.policy(ticket_fields=FIELDS)
    return chat


def statuses(chat: Chat) -> list[str]:
    """Of all tickets, by number."""
    return [ticket.status for _, ticket in sorted(chat.intake.tickets.items(), key=lambda one: one[0][1])]


def told(chat: Chat) -> list[tuple[int, str | None, str, str | None]]:
    """Number, former status, status and by whom, of each change that was told."""
    changes = [
        TicketChanged.model_validate(value) for what, value in chat.intake.told if what == "ticket_changed"
    ]
    return [(one.ticket, one.former_status, one.status, one.by) for one in changes]


def silence(chat: Chat) -> None:
    """The session ends by itself."""
    chat.log.wait(milliseconds=SILENCE_MS)
    chat.apply(chat.log.session_timer("u1", chat.conversation.session, chat.log.now_ms))
    assert not chat.conversation.session_open


class TestASession:
    def test_begins_a_draft_which_nobody_is_told_of(self) -> None:
        chat = started()
        assert (statuses(chat), told(chat)) == (["draft"], [])
        assert chat.conversation.ticket == Ticket(1, 1, 1, chat.log.now_ms, chat.log.now_ms)

    def test_in_which_no_agent_had_a_part_leaves_its_draft(self) -> None:
        chat = started()
        chat.act("say", text="tự động", by=None)
        silence(chat)
        chat.customer()
        assert (statuses(chat), told(chat)) == (["draft", "draft"], [])

    def test_that_was_given_to_an_agent_leaves_a_ticket_of_his(self) -> None:
        chat = held()
        assert statuses(chat) == ["draft"]
        silence(chat)
        assert told(chat) == [(1, "draft", "open", None)]
        assert chat.conversation.ticket is not None
        assert chat.conversation.ticket.agent == "lan"

    def test_that_an_agent_answered_leaves_a_ticket_though_nobody_was_given_it(self) -> None:
        chat = started()
        chat.act("say", text="em đây", by="lan", authority="admin")
        silence(chat)
        assert told(chat) == [(1, "draft", "open", None)]

    def test_that_a_human_answered_outside_leaves_one_too(self) -> None:
        chat = started()
        chat.apply(chat.log.say("u1", "e1", what="echo", text="shop đây", author="human"))
        silence(chat)
        assert statuses(chat) == ["open"]

    def test_of_a_customer_who_has_his_agent_already_counts_as_given_to_him(self) -> None:
        chat = held()
        silence(chat)
        chat.customer()
        assert chat.conversation.ticket is not None
        assert (chat.conversation.ticket.number, chat.conversation.ticket.agent) == (2, "lan")
        silence(chat)
        assert told(chat)[1:] == [(2, "draft", "open", None)]

    def test_ticket_follows_its_holder_until_it_is_closed(self) -> None:
        chat = held()
        chat.act("open_ticket")
        chat.held_by("minh")
        assert chat.conversation.ticket is not None
        assert chat.conversation.ticket.agent == "minh"
        chat.act("edit_ticket", ticket=1, status="closed", by="minh")
        chat.held_by("hoa")
        assert chat.conversation.ticket.agent == "minh"

    def test_ticket_that_somebody_touched_is_told_when_it_becomes_anothers(self) -> None:
        chat = held()
        chat.act("edit_ticket", ticket=1, subject="nháp")
        chat.held_by("minh")
        assert told(chat) == [(1, "draft", "draft", "lan"), (1, "draft", "draft", None)]
        assert chat.intake.told[-1][1]["agent"] == "minh"
        silence(chat)
        assert told(chat)[2:] == [(1, "draft", "open", None)]

    def test_that_is_over_leaves_a_ticket_when_an_agent_comes_after_it(self) -> None:
        appointed, answered = started(), started()
        for chat in (appointed, answered):
            silence(chat)
        appointed.held_by("lan")
        answered.act("say", text="xin lỗi", by="lan", authority="admin")
        assert told(appointed) == told(answered) == [(1, "draft", "open", None)]

    def test_ended_as_done_leaves_a_ticket(self) -> None:
        chat = held()
        chat.desk("care_changed", holder="lan", care="done", former_care="closed_won", outcome="won")
        assert statuses(chat) == ["open"]


class TestAnAgent:
    def test_makes_the_draft_a_ticket_and_then_others(self) -> None:
        chat = with_fields(held())
        _, outcome = chat.act("open_ticket", subject="Đổi hàng", fields={"nguon": "zalo"})
        assert outcome["result"] == {
            "ticket": 1,
            "status": "open",
            "subject": "Đổi hàng",
            "fields": {"nguon": "zalo"},
        }
        _, outcome = chat.act("open_ticket", subject="Hoàn tiền")
        assert outcome["result"]["ticket"] == 2
        assert told(chat) == [(1, "draft", "open", "lan"), (2, None, "open", "lan")]
        silence(chat)
        chat.customer()
        assert statuses(chat) == ["open", "open", "draft"]

    def test_edits_any_of_them(self) -> None:
        chat = with_fields(held())
        chat.act("edit_ticket", ticket=1, subject="nháp")
        assert told(chat) == [(1, "draft", "draft", "lan")]
        for number in (1, 2):
            chat.act("open_ticket", subject=f"việc {number}")
        chat.act("edit_ticket", ticket=1, fields={"gap": True, "so-luong": 3})
        chat.act("edit_ticket", ticket=1, fields={"gap": False, "so-luong": None, "nguon": "zalo"})
        _, outcome = chat.act("edit_ticket", ticket=1, status="closed")
        assert outcome["result"]["fields"] == {"gap": False, "nguon": "zalo"}
        assert (statuses(chat), chat.intake.tickets[chat.conversation.id, 1].subject) == (
            ["closed", "open"],
            "việc 1",
        )
        assert chat.refusal("edit_ticket", ticket=9, subject="x") == "unknown_ticket"
        assert chat.refusal("edit_ticket", ticket=1, status="pending") == "bad_transition"
        assert chat.refusal("edit_ticket", ticket=1, fields={"nguon": None}) == "field_required"

    def test_edits_several_in_one_batch_as_each_has_left_them(self) -> None:
        chat = with_fields(held())
        chat.act("open_ticket", subject="một")
        log = chat.log
        log.session_timer("u1", 1, log.now_ms)
        log.act("u1", "open_ticket", subject="hai")
        log.act("u1", "edit_ticket", ticket=1, fields={"gap": True})
        log.act("u1", "edit_ticket", ticket=1, status="pending")
        log.act("u1", "edit_ticket", ticket=2, status="pending")
        chat.intake.apply(log.take())
        first, second = (chat.intake.tickets[chat.conversation.id, number] for number in (1, 2))
        assert (first.status, first.fields, first.subject) == ("pending", {"gap": True}, "một")
        assert (second.status, second.subject, chat.conversation.ticket) == ("pending", "hai", second)

    def test_who_says_what_it_says_already_tells_nobody(self) -> None:
        chat = held()
        chat.act("open_ticket", subject="một")
        before = told(chat)
        became, _ = chat.act("edit_ticket", ticket=1, subject="một", status="open")
        assert (became, told(chat)) == ("done", before)

    def test_who_repeats_himself_makes_one_ticket(self) -> None:
        chat = held()
        for _ in range(2):
            chat.apply(chat.log.act("u1", "open_ticket", subject="một", idempotency_key="k"))
        assert statuses(chat) == ["open"]

    def test_makes_none_in_another_name(self) -> None:
        chat = held()
        assert chat.refusal("open_ticket", actor=f"agent:{WORKSPACE}/minh") == "forbidden"


CHANGE = {"subject": "Hỏi giá", "fields": {"nguon": "facebook"}}


class TestAnAnswer:
    def test_changes_the_ticket_when_it_is_accepted(self) -> None:
        chat = with_fields(held())
        chat.act("say", text="chào", ticket=CHANGE)
        assert told(chat) == [(1, "draft", "draft", "lan")]
        assert chat.conversation.ticket is not None
        assert (chat.conversation.ticket.subject, chat.conversation.ticket.fields) == (
            "Hỏi giá",
            {"nguon": "facebook"},
        )

    def test_is_refused_as_a_whole_when_the_ticket_cannot_say_that(self) -> None:
        chat = with_fields(held())
        assert chat.refusal("say", text="chào", ticket={"fields": {"nguon": "tiktok"}}) == "bad_field"
        assert chat.refusal("say", text="chào", ticket={"fields": {"mau": "đỏ"}}) == "unknown_field"

    def test_that_comes_back_changes_nothing(self) -> None:
        chat = with_fields(held())
        assert chat.refusal("say", text="chào", by="minh", ticket=CHANGE) == "not_holder"
        chat = with_fields(offered())
        for by in ("lan", "minh"):
            chat.waits(by=by, ticket={"subject": by})
        assert told(chat) == []
        chat.held_by("minh")
        assert chat.conversation.ticket is not None
        assert (chat.conversation.ticket.subject, chat.said()) == ("minh", ["tôi đây"])

    def test_that_waited_is_held_against_what_tickets_can_say_by_now(self) -> None:
        chat = with_fields(offered())
        chat.waits(by="lan", ticket={"fields": {"gap": True}})
        chat.policy(ticket_fields=[{"id": "gap", "name": "Gấp", "type": "number"}])
        chat.held_by("lan")
        became, outcome = chat.intake.outcomes[-1]
        assert (became, outcome["code"], chat.said(), told(chat)) == ("refused", "bad_field", [], [])

    def test_makes_a_ticket_where_there_was_none(self) -> None:
        chat = held()
        chat.conversation.ticket = None  # of a conversation that is older than tickets
        chat.intake.tickets.clear()
        chat.act("say", text="chào", ticket={"subject": "cũ"})
        assert told(chat) == [(1, None, "draft", "lan")]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("ghi-chu", "12345", None),
        ("ghi-chu", "123456", "bad_field"),
        ("ghi-chu", 5, "bad_field"),
        ("so-luong", 10, None),
        ("so-luong", 1.5, None),
        ("so-luong", 11, "bad_field"),
        ("so-luong", 0.5, "bad_field"),
        ("so-luong", "5", "bad_field"),
        ("so-luong", True, "bad_field"),
        ("ngay", "2026-02-28", None),
        ("ngay", "2026-02-29", "bad_field"),
        ("ngay", "20260228", "bad_field"),
        ("nguon", "zalo", None),
        ("nguon", "Zalo", "bad_field"),
        ("gap", False, None),
        ("gap", "true", "bad_field"),
        ("gap", 1, "bad_field"),
        ("mau", "đỏ", "unknown_field"),
        ("mau", None, None),
    ],
)
def test_what_a_field_may_say(field: str, value: Any, code: str | None) -> None:  # noqa: ANN401
    refused = refusal(DRAFT, TicketChange(fields={field: value}), None, KNOWN)
    assert (refused and refused.code) == code
    if refused is not None and code == "bad_field":
        assert refused.details == {"field": field}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "open", "pending", "closed"]),
            st.dictionaries(
                st.sampled_from([one.id for one in KNOWN]),
                st.sampled_from([None, "", "zalo", 3, True, "2026-11-22"]),
                max_size=3,
            ),
        ),
        max_size=12,
    )
)
def test_whatever_is_asked_a_ticket_says_only_what_it_may(asked: list[tuple[Any, dict[str, Any]]]) -> None:
    ticket = DRAFT
    for status, fields in asked:
        change = TicketChange(fields=fields)
        refused = refusal(ticket, change, status, KNOWN)
        before = ticket
        if refused is None:
            ticket = edited(ticket, change, status, ticket.changed_at_ms + 1, "lan")
            assert status in (None, ticket.status)
        assert ticket.status == before.status or ticket.status in BY_HAND[before.status]
        assert ticket.status != "closed" or "nguon" in ticket.fields
        # What it says now it may say again.
        again = refusal(ticket, TicketChange(fields=dict(ticket.fields)), None, KNOWN)
        assert not isinstance(again, Refusal)
        assert edited(ticket, TicketChange(fields=dict(ticket.fields)), ticket.status, 0, "x") is ticket
