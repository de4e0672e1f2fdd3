"""What the transcript keeps of an assignment event: a code and parameters, ids and words alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from schemas.assignments import Blocked, ChainEvent, SessionClosed, TransferEnded, Transferring, Unblocked
from tests.wording.lines import AT, HOA, LAN, MINH, assigned, care, event, unassigned
from workers.routing.intake.log_lines import log_line

_OFFER = {"agents": ("hoa",), "by": MINH, "command": "k", "expires_at": AT}

LINES: list[tuple[ChainEvent, str, dict[str, Any]]] = [
    (
        assigned("appoint", former="hoa", by=LAN),
        "assigned",
        {"agent": "minh", "former": "hoa", "method": "appoint", "by": "lan"},
    ),
    (
        assigned("round_robin", owner="hoa"),
        "assigned",
        {"agent": "minh", "rule": "deu", "rule_version": 1, "owner": "hoa", "method": "round_robin"},
    ),
    (unassigned("taken_off", LAN), "unassigned", {"agent": "minh", "how": "taken_off", "by": "lan"}),
    (unassigned("on_leave"), "unassigned", {"agent": "minh", "how": "on_leave"}),
    (
        event(Transferring, to_agent="hoa", to_department=None, **_OFFER),
        "transferring",
        {"agent": "minh", "to_agent": "hoa", "by": "minh"},
    ),
    (
        event(Transferring, to_agent=None, to_department="ban-hang", **_OFFER),
        "transferring",
        {"agent": "minh", "to_department": "ban-hang", "by": "minh"},
    ),
    (
        event(
            Transferring,
            to_agent=None,
            to_department="ban-hang",
            rejected=("lan", "hoa"),
            again="rejected",
            **_OFFER,
        ),
        "transferring",
        {"agent": "minh", "how": "rejected", "to_agent": "hoa", "to_department": "ban-hang"},
    ),
    (
        event(TransferEnded, how="rejected", agent="hoa", by=HOA, command="k"),
        "transfer_ended",
        {"agent": "minh", "how": "rejected", "to_agent": "hoa", "by": "hoa"},
    ),
    (
        care("accepted", "refused", MINH, reason="khong-mua"),
        "care_changed",
        {
            "agent": "minh",
            "former_care": "accepted",
            "care": "refused",
            "reason": "khong-mua",
            "round": 1,
            "by": "minh",
        },
    ),
    (
        event(Blocked, until=AT + timedelta(days=30), by="service:crm", command="k"),
        "blocked",
        {"until": "2026-12-22T01:15:00.000Z", "days": 30, "by": "service:crm"},
    ),
    (event(Blocked, until=None, by=LAN, command="k"), "blocked", {"by": "lan"}),
    (event(Unblocked), "unblocked", {}),
]


@pytest.mark.parametrize(("told", "code", "params"), LINES)
def test_an_event_gives_its_line(told: ChainEvent, code: str, params: dict[str, Any]) -> None:
    line = log_line(told)
    assert line == (code, params)
    assert orjson.loads(orjson.dumps(params)) == params


def test_a_transfer_that_asks_others_by_now_gives_none() -> None:
    told = event(Transferring, to_agent=None, to_department="ban-hang", again="asked", **_OFFER)
    assert log_line(told) is None


def test_the_end_of_a_session_gives_none() -> None:
    closed = event(SessionClosed, ended_by="silence", customer_messages=1, agent_messages=0)
    assert log_line(closed) is None
