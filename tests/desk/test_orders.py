"""Orders that other systems link to a customer, and the care statuses that speak of them."""

from __future__ import annotations

from typing import get_args

import pytest

from schemas.asks import Bulk, LinkOrder, SetCare
from schemas.assignments import CareChanged, OrderChanged
from schemas.ids import conversation_id
from schemas.orders import CONFIRMED, ORDERS_MAX, OVER, UNCONFIRMED, OrderStatus
from schemas.outcomes import Done, Refused
from tests.desk.flows import give_policy, rule_with
from tests.desk.log import DESK, WORKSPACE, ask, configure, key_of, route, session_ended
from tests.desk.scene import Scene

STATUSES: tuple[OrderStatus, ...] = get_args(OrderStatus)


def a_scene(**order_checks: str) -> Scene:
    """`an` holds the conversation of `lan`; chu is the page's admin, la another agent."""
    scene = Scene()
    scene.do(configure(["an", "chu", "la"], [rule_with("an")]))
    give_policy(scene, order_checks=order_checks, done_from=["accepted", "closed_won"])
    scene.do(route("lan"))
    return scene


def link(scene: Scene, order: str, status: OrderStatus | None, by: str | None = None) -> list[object]:
    """What the desk says to another system, or to `by`."""
    authority = "agent" if by else "admin"
    return scene.do(ask(LinkOrder, "lan", by, authority=authority, order=order, status=status))


def orders(scene: Scene) -> dict[str, OrderStatus]:
    return dict(scene.conversation("lan").orders)


def test_an_order_is_told_whenever_it_stands_otherwise() -> None:
    scene = a_scene()
    changed, done = link(scene, "DH1", "new")
    assert isinstance(changed, OrderChanged)
    assert (changed.order, changed.status, changed.former_status, changed.by) == (
        "DH1",
        "new",
        None,
        "service:crm",
    )
    assert isinstance(done, Done)
    assert done.result == {"orders": {"DH1": "new"}}
    assert [type(event) for event in link(scene, "DH1", "new")] == [Done]
    link(scene, "DH2", "draft")
    link(scene, "DH1", "confirmed")
    assert list(orders(scene).items()) == [("DH2", "draft"), ("DH1", "confirmed")]
    link(scene, "DH2", None)
    assert orders(scene) == {"DH1": "confirmed"}
    assert [type(event) for event in link(scene, "DH2", None)] == [Done]


@pytest.mark.parametrize(("by", "may"), [("an", True), ("chu", True), ("la", False), (None, True)])
def test_its_holder_an_admin_and_services_may(by: str | None, may: bool) -> None:
    (*_, answer) = link(a_scene(), "DH1", "new", by)
    code = answer.code if isinstance(answer, Refused) else None
    assert code == (None if may else "not_holder")


def test_there_are_only_so_many() -> None:
    scene = a_scene()
    for number in range(ORDERS_MAX):
        link(scene, f"DH{number}", "new")
    (refused,) = link(scene, "DH-more", "new")
    assert isinstance(refused, Refused)
    assert refused.code == "too_many"
    link(scene, "DH7", "cancelled")
    link(scene, "DH7", None)
    assert isinstance(link(scene, "DH-more", "new")[-1], Done)


@pytest.mark.parametrize("status", [None, *STATUSES])
@pytest.mark.parametrize("care", ["pending_close", "closed_won"])
@pytest.mark.parametrize("check", ["off", "warn", "require"])
def test_a_care_status_asks_for_its_order_as_the_policy_says(
    check: str, care: str, status: OrderStatus | None
) -> None:
    scene = a_scene(**{care: check})
    if status is not None:
        link(scene, "DH1", status)
    answer = scene.do(ask(SetCare, "lan", "an", care=care))[-1]
    is_there = status in (UNCONFIRMED if care == "pending_close" else CONFIRMED)
    assert isinstance(answer, Refused if check == "require" and not is_there else Done)
    assert scene.conversation("lan").care == (care if isinstance(answer, Done) else "accepted")
    if isinstance(answer, Refused):
        assert answer.code == "order_required"
        assert answer.details == {"orders": {} if status is None else {"DH1": status}}
    else:
        assert ("warning" in answer.result) == (check == "warn" and not is_there)


def test_a_check_concerns_its_own_care_status_alone() -> None:
    scene = a_scene(closed_won="require")
    assert isinstance(scene.do(ask(SetCare, "lan", "an", care="pending_close"))[-1], Done)
    refused = scene.do(ask(SetCare, "lan", "an", care="closed_won"))[-1]
    assert refused.code == "order_required"


def test_many_at_once_are_checked_one_by_one() -> None:
    scene = a_scene(closed_won="require")
    scene.do(route("mai"))
    link(scene, "DH1", "confirmed")
    keys = [key_of(user) for user in ("lan", "mai")]
    asked = {"actor": f"agent:{WORKSPACE}/an", "by": "an", "idempotency_key": "many", "what": "set_care"}
    subjects = [{"conversation": conversation_id(key), "key": key} for key in keys]
    answer = scene.do(
        Bulk.model_validate(
            {"workspace": WORKSPACE, "desk": DESK, **asked, "care": "closed_won", "subjects": subjects}
        )
    )[-1]
    assert [(one["key"], one["code"]) for one in answer.result["refused"]] == [(keys[1], "order_required")]


def test_a_new_round_knows_nothing_of_orders_that_are_over() -> None:
    scene = a_scene(closed_won="require")
    for number, status in enumerate(STATUSES):
        link(scene, f"DH{number}", status)
    scene.do(ask(SetCare, "lan", "an", care="closed_won"))
    scene.do(ask(SetCare, "lan", "an", care="done", outcome="won"))
    assert len(orders(scene)) == len(STATUSES)
    scene.do(session_ended("lan"))
    events = scene.do(route("lan", session=2))
    assert any(isinstance(event, CareChanged) and event.round == 2 for event in events)
    assert set(orders(scene).values()) == set(STATUSES) - set(OVER)
