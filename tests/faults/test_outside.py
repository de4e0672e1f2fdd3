"""What others are given is counted: nothing lost, nothing twice, nothing that nobody said, all in order."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from faults.messenger import Messenger, is_gone
from faults.outside import Outside
from workers.channels.delivery.marker import marker
from workers.local.simulator.platform.account import Said

MESSAGE = uuid4()


def row(state: str | None, *, is_open: bool = False) -> Any:  # noqa: ANN401 - what is read of a record
    return {"message_id": MESSAGE, "state": state, "open": is_open, "reason": None}


def given(messenger: Messenger, *messages: UUID) -> None:
    """To the first page's platform."""
    account = next(iter(messenger.accounts.values()))
    for number, message in enumerate(messages):
        account.said.append(Said(f"m{number}", "u1", "Dạ", None, marker(message, 0), 0))


@pytest.mark.parametrize(
    ("state", "times", "holds"),
    [
        ("sent", 1, True),
        ("read", 1, True),
        ("sent", 0, False),
        ("sent", 2, False),
        ("unknown", 0, True),
        ("unknown", 1, True),
        ("unknown", 2, False),
        ("failed", 0, True),
        ("failed", 1, False),
    ],
)
def test_an_answer_is_once_on_its_platform_or_known_not_to_be(state: str, times: int, holds: bool) -> None:
    messenger = Messenger()
    given(messenger, *[MESSAGE] * times)
    assert messenger.once([row(state)])["holds"] == holds


def test_an_answer_that_is_still_to_be_given_is_lost() -> None:
    assert not Messenger().once([row("queued", is_open=True)])["holds"]
    assert not Messenger().once([row(None, is_open=True)])["holds"]


def test_what_nobody_said_is_on_no_platform() -> None:
    messenger = Messenger()
    given(messenger, uuid4())
    assert not messenger.once([])["holds"]


def test_some_customers_have_no_account_any_more() -> None:
    messenger = Messenger()
    account = next(iter(messenger.accounts.values()))
    assert [user for user in ("u12", "u13", "u26", "talker-13") if is_gone(user)] == ["u13", "u26"]
    assert account.silent_s("u13") is None
    assert account.silent_s("u12") is not None


@pytest.mark.parametrize(
    ("told", "all_told", "in_order"),
    [
        ([("a", "c", 1), ("b", "c", 2)], True, True),
        ([("a", "c", 1), ("a", "c", 1), ("b", "c", 2), ("a", "c", 1)], True, True),
        ([("b", "c", 2), ("a", "c", 1)], True, False),
        ([("a", "c", 1)], False, True),
        ([("a", "c", 1), ("b", "c", 2), ("x", "d", 1)], False, True),
    ],
    ids=["each once", "one again", "backwards", "one lost", "one invented"],
)
def test_a_shop_is_told_of_each_event_in_order(
    told: list[tuple[str, str, int]], all_told: bool, in_order: bool
) -> None:
    outside = Outside()
    outside.told = told
    events = {"a": ("c", 1), "b": ("c", 2)}
    assert (outside._told(events)["holds"], outside._in_order()["holds"]) == (all_told, in_order)
