"""`tongdai explain` on events as the desk publishes them."""

from __future__ import annotations

import pytest

from config.errors import ExitCode
from config.settings import Settings
from schemas import envelope
from schemas.assignments import ChainEvent
from tests.cli.conftest import Tongdai
from tests.cli.publishing import Sent, publish
from tests.desk.log import a_rule, an_agent, key_of, route
from tests.desk.scene import scene_with
from workers.routing.desk.decision import KIND_OF

pytestmark = pytest.mark.servers


async def test_each_decision_says_why(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    scene = scene_with(a_rule("an", "binh"), agents=[an_agent("an", 1), an_agent("binh", 1), "chu"])
    for user in ("lan", "hoa", "mai"):
        scene.do(route(user))
    events = [one.event for one in scene.decided if isinstance(one.event, ChainEvent)]
    records = [
        Sent(
            event.model_dump_json().encode(),
            key=event.key.encode(),
            headers=envelope.headers(
                KIND_OF[type(event)], id_="1", source="t", subject=event.key, time="2026-11-22T08:26:40Z"
            ),
        )
        for event in events
    ]
    await publish(kafka_settings, topics["assignments"], records)
    hoa = (await tongdai("explain", key_of("hoa"))).out
    assert (
        "assigned to binh by round_robin of the rule chia-deu (version 1); the turn went from an to binh"
        in hoa
    )
    assert "Now: held, binh has it, care status accepted, round 1." in hoa
    mai = (await tongdai("explain", key_of("mai"))).out
    assert "queued: rule chia-deu, rule version 1; passed over: 2 at capacity" in mai
    assert len((await tongdai("explain", key_of("lan"), "--json", "--last", "1")).json()) == 1
    nobody = await tongdai("explain", "zalo:100:nobody")
    assert (nobody.exit_code, "no event is known" in nobody.err) == (ExitCode.FAILED, True)
