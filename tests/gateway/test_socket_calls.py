"""What a socket takes, and what it says of a call that it does not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest

from tests.gateway.test_openapi import OPERATIONS
from workers.gateway.calls import CONVERSATION_CALLS
from workers.gateway.client_messages import DoCall
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.socket_calls import BULK, OF_AGENTS, SocketCalls

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


async def answer_to(call: str, **said: Any) -> dict[str, Any]:  # noqa: ANN401
    sent: list[str] = []
    connection: Any = SimpleNamespace(identity=None, send=sent.append)
    gateway: Any = SimpleNamespace(commanding=None, metrics=GatewayMetrics())
    message = DoCall(do="call", id="7", idempotency_key="k", call=call, **said)
    await SocketCalls(gateway, connection, "192.0.2.1").begin(message, 0)
    found: dict[str, Any] = orjson.loads(sent[0])
    return found


@pytest.mark.parametrize("call", ["dance", "pages", "put_rule"])
async def test_a_call_that_goes_over_http_alone_is_told_so(call: str) -> None:
    told = await answer_to(call, conversation=UUID(int=1), agent="lan")
    assert (told["status"], told["body"]["code"]) == (404, "unknown_call")
    assert all(name in told["body"]["detail"] for name in ("one conversation", BULK, *OF_AGENTS, "HTTP"))


@pytest.mark.parametrize(("call", "lacks"), [("claim", "conversation"), ("set_leave", "agent")])
async def test_a_call_that_lacks_whom_it_is_about_is_told_what(call: str, lacks: str) -> None:
    told = await answer_to(call)
    assert (told["status"], told["body"]["code"]) == (422, "invalid")
    assert told["body"]["details"]["errors"] == [{"at": lacks, "problem": "this call needs it"}]


def test_what_a_socket_takes_has_its_operation_s_id_and_stands_on_the_page() -> None:
    ids = {operation["operationId"] for _, operation in OPERATIONS}
    assert {*CONVERSATION_CALLS, BULK, *OF_AGENTS} <= ids
    others = ", ".join(f"`{name}`" for name in (BULK, *OF_AGENTS))
    assert f"every command on one conversation, and {others}" in PAGE.read_text(encoding="utf-8")
