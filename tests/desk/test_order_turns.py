"""What a worker writes of orders about its work."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from schemas.asks import LinkOrder
from schemas.ids import conversation_id
from tests.desk.flows import rule_with
from tests.desk.log import WORKSPACE, ask, configure, key_of, route
from tests.desk.world import World


@pytest.mark.servers
async def test_it_writes_which_was_linked_and_which_refused_and_nothing_of_what_stays(world: World) -> None:
    def link(customer: str, by: str | None = None) -> LinkOrder:
        authority = "agent" if by else "admin"
        asked = ask(LinkOrder, customer, by, authority=authority, order="DH1", status="new")
        assert isinstance(asked, LinkOrder)
        return asked

    await world.handle(configure(["an", "la"], [rule_with("an")]), route("lan"))
    with capture_logs() as lines:
        await world.handle(link("lan"), link("lan"), link("lan", "la"), link("minh"))
    where = {"log_level": "info", "workspace": WORKSPACE, "order": "DH1"}
    one, other = (str(conversation_id(key_of(each))) for each in ("lan", "minh"))
    told = {"status": "new", "former_status": None}
    assert [{name: value for name, value in line.items() if name != "lane"} for line in lines] == [
        {**where, "event": "order_linked", "conversation": one, "by": "service:crm", **told},
        {**where, "event": "order_refused", "conversation": one, "by": "agent:acme/la", "code": "not_holder"},
        {
            **where,
            "event": "order_refused",
            "conversation": other,
            "by": "service:crm",
            "code": "unknown_conversation",
        },
    ]
