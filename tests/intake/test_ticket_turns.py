"""What a worker writes of tickets about its work: where an operator looks, and no texts."""

from __future__ import annotations

from structlog.testing import capture_logs

from tests.intake.chat import held
from tests.intake.log import WORKSPACE
from tests.intake.test_mails import answer, reachable
from tests.intake.test_tickets import silence
from workers.routing.intake.ticket_turns import write_down


def test_it_writes_who_opened_and_closed_a_ticket_and_that_a_mail_opened_it_again() -> None:
    chat = reachable(held())
    chat.act("open_ticket", subject="Đổi hàng")
    chat.act("edit_ticket", ticket=1, status="pending")
    chat.act("edit_ticket", ticket=1, status="closed", subject="Đổi rồi")
    answer(chat)
    with capture_logs() as lines:
        write_down(chat.intake.ticket_turns)
    own = chat.conversation
    where = {"workspace": WORKSPACE, "conversation": own.id, "lane": own.lane, "ticket": 1}
    assert lines == [
        {"event": event, "log_level": "info", **where, "by": by}
        for event, by in (("ticket_opened", "lan"), ("ticket_closed", "lan"), ("ticket_reopened", None))
    ]


def test_it_writes_nothing_of_a_ticket_that_its_session_has_left() -> None:
    chat = held()
    silence(chat)
    assert chat.intake.ticket_turns == []
