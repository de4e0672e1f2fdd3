"""As whom an action acts: intake knows no admins of pages, so the gateway says who is one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from schemas.actions import Say
from schemas.asks import TakeOff
from workers.gateway.calls import CONVERSATION_CALLS, on_conversation
from workers.gateway.conversations import Conversation
from workers.gateway.identity import Identity, Role
from workers.gateway.rights import Call

CONVERSATION = Conversation(UUID(int=1), "messenger:1:an", "main", "messenger:1")


def asked(role: Role, stands: tuple[str, ...], name: Call = "say", **fields: str) -> Any:  # noqa: ANN401
    call = CONVERSATION_CALLS[name]
    body = call.body.model_validate(fields or {"text": "chào"})
    return on_conversation(call, Identity("shop", role, "ha", "ha"), CONVERSATION, "key", body, stands)


@pytest.mark.parametrize(
    ("role", "stands", "authority"),
    [
        ("page_admin", ("administrator", "member"), "page_admin"),
        ("page_admin", ("member",), "agent"),
        ("agent", ("administrator", "holder"), "agent"),
        ("admin", (), "admin"),
    ],
)
def test_an_action_says_so_of_an_admin_of_its_page(
    role: Role, stands: tuple[str, ...], authority: str
) -> None:
    action = asked(role, stands)
    assert isinstance(action, Say)
    assert action.authority == authority


def test_a_command_does_not_since_desks_know_the_admins_of_pages() -> None:
    command = asked("page_admin", ("administrator",), "take_off", then="pool")
    assert isinstance(command, TakeOff)
    assert command.authority == "agent"
