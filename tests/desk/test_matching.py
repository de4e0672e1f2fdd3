"""Which rule a conversation belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest

from schemas.assignments import Facts
from schemas.definitions import Conditions, Hours, Rule, Stretch
from schemas.ids import conversation_id
from tests.desk.log import DESK, PAGE, WORKSPACE, a_rule, key_of
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.desk import Desk
from workers.routing.desk.matching import rule_for, still_fits
from workers.routing.desk.roster import Entry

NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)  # in Saigon, a Monday
OFFICE = Hours(stretches=(Stretch(days=("mon",), begins=time(8), ends=time(17)),))


def a_conversation(**facts: Any) -> Conversation:  # noqa: ANN401
    key = key_of("lan")
    return Conversation(
        conversation_id(key), key, PAGE, facts=Facts(channel="zalo", **facts), session=1, session_open=True
    )


def desk_with(*rules: Rule) -> Desk:
    desk = Desk(WORKSPACE, DESK)
    for position, rule in enumerate(rules):
        desk.set_rule(Entry(rule, 1, active=True, position=position), rule.agents)
    return desk


def a_rule_for(**conditions: Any) -> Rule:  # noqa: ANN401
    return a_rule("an").model_copy(update={"conditions": Conditions(**conditions)})


def matched(desk: Desk, conversation: Conversation, at: datetime = NOON) -> str | None:
    rule = rule_for(desk, conversation, at)
    return rule.definition.id if rule else None


@pytest.mark.parametrize(
    ("conditions", "facts", "fits"),
    [
        ({}, {}, True),
        ({"tags": ["vip", "si"]}, {"tags": ["si", "moi"]}, True),
        ({"tags": ["vip"]}, {"tags": ["moi"]}, False),
        ({"tags": ["vip"]}, {}, False),
        ({"lists": ["gia"]}, {"lists": ["gia"]}, True),
        ({"lists": ["gia"]}, {"lists": ["giao-hang"]}, False),
        ({"languages": ["en"]}, {"language": "en_US"}, True),
        ({"languages": ["en"]}, {"language": "EN-gb"}, True),
        ({"languages": ["vi", "en"]}, {"language": "vi"}, True),
        ({"languages": ["en"]}, {"language": "eng"}, False),
        ({"languages": ["en_US"]}, {"language": "en"}, False),
        ({"languages": ["en"]}, {}, False),
        ({"tags": ["vip"], "languages": ["en"]}, {"tags": ["vip"], "language": "vi"}, False),
        ({"tags": ["vip"], "languages": ["en"]}, {"tags": ["vip"], "language": "en"}, True),
    ],
)
def test_each_condition_that_is_given_must_hold(
    conditions: dict[str, Any], facts: dict[str, Any], fits: bool
) -> None:
    desk = desk_with(a_rule_for(**conditions))
    assert (matched(desk, a_conversation(**facts)) is not None) == fits


def test_hours_decide_when_a_conversation_is_routed_and_not_while_it_waits() -> None:
    desk = desk_with(a_rule_for(hours=OFFICE))
    late = NOON.replace(hour=12)
    assert matched(desk, a_conversation()) == "chia-deu"
    assert matched(desk, a_conversation(), late) is None
    assert still_fits(desk.roster.rules["chia-deu"], a_conversation())


def test_the_first_rule_that_matches_wins_also_among_pages_and_channels() -> None:
    vip = a_rule("an", id_="vip", pages=[]).model_copy(
        update={"channels": ("zalo",), "conditions": Conditions(tags=("vip",))}
    )
    rest = a_rule("binh", id_="rest", pages=[]).model_copy(update={"channels": ("zalo", "web")})
    desk = desk_with(vip, a_rule("chi", id_="page"), rest)
    assert matched(desk, a_conversation(tags=("vip",))) == "vip"
    assert matched(desk, a_conversation()) == "page"
    assert matched(desk, a_conversation()._replace(page="zalo:999")) == "rest"
    assert matched(desk, a_conversation()._replace(page="messenger:1")) is None


def test_a_rule_that_names_page_and_channel_is_one_rule() -> None:
    desk = desk_with(a_rule("an").model_copy(update={"channels": ("zalo",)}))
    assert len(list(desk.roster.rules_of(PAGE))) == 1


def test_a_removed_rule_matches_nothing() -> None:
    desk = desk_with(a_rule("an"))
    desk.set_rule(desk.roster.rules["chia-deu"]._replace(active=False), ())
    assert matched(desk, a_conversation()) is None
    assert not still_fits(desk.roster.rules["chia-deu"], a_conversation())
