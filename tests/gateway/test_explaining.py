"""How a conversation stands, in words, from the row that the desk keeps of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workers.gateway.queries.explaining import standing
from workers.gateway.queries.rows import waits_since
from workers.wording.names import Names

BEGAN = datetime(2026, 11, 22, 8, tzinfo=UTC)
LOST = BEGAN + timedelta(hours=2)
ROW: dict[str, Any] = {
    "holder": None,
    "held_since": None,
    "queued_at": BEGAN,
    "last_held_at": None,
    "audience": "page:zalo:1",
    "ring": 0,
    "offer_expires_at": None,
    "session_open": True,
    "blocked": False,
    "quiet_until": None,
    "rule_id": "deu",
    "version": 3,
}
QUEUED = "It waits for an agent of the rule “Chia đều” (version 3), since 2026-11-22T{}:00:00.000Z."
AGED = "Its place in the queue is of its age, since 2026-11-22T08:00:00.000Z: meanwhile somebody had it."
OFFERED = "It waits for an agent of its page to take it, since 2026-11-22T{}:00:00.000Z."


@pytest.mark.parametrize(
    ("stands", "last_held_at", "told"),
    [
        ("queued", None, [QUEUED.format("08")]),
        ("queued", BEGAN - timedelta(days=1), [QUEUED.format("08")]),
        ("queued", LOST, [QUEUED.format("10"), AGED]),
        ("offered", LOST, [OFFERED.format("10")]),
    ],
)
def test_who_waits_does_so_since_nobody_has_it(
    stands: str, last_held_at: datetime | None, told: list[str]
) -> None:
    row = ROW | {"standing": stands, "last_held_at": last_held_at}
    assert waits_since(row) == max(BEGAN, last_held_at or BEGAN)
    assert standing(row, Names(rules={"deu": "Chia đều"}), "en") == told


@pytest.mark.parametrize("stands", ["held", "idle"])
def test_who_is_not_sought_for_does_not_wait(stands: str) -> None:
    assert waits_since(ROW | {"standing": stands, "last_held_at": LOST}) is None


@pytest.mark.parametrize(
    ("audience", "ring", "told"),
    [
        ("rule:deu/0", 0, "It waits for an agent of the rule “Chia đều” to take it, since"),
        ("rule:deu/1", 1, "It waits for an agent of the rule “Chia đều” (ring 2) to take it, since"),
        ("admins:zalo:1", 0, "It waits for an admin of its page to appoint somebody, since"),
    ],
)
def test_who_may_take_it_is_told_in_words(audience: str, ring: int, told: str) -> None:
    row = ROW | {"standing": "offered", "audience": audience, "ring": ring}
    (sentence,) = standing(row, Names(rules={"deu": "Chia đều"}), "en")
    assert sentence == f"{told} 2026-11-22T08:00:00.000Z."
