"""Changing a desk: only what differs, all or nothing, and nobody waits who could be served after it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from schemas.asks import SetTicketFields
from schemas.assignments import Assigned, Cause, Offered, Queued
from schemas.commands import Configure
from schemas.definitions import Department, Policy, Rule
from schemas.outcomes import Done, Refused
from schemas.roster import (
    AgentChanged,
    DepartmentChanged,
    PageChanged,
    PolicyChanged,
    RosterEvent,
    RuleChanged,
)
from schemas.tickets import TicketField
from tests.desk.log import DESK, LANE, PAGE, WORKSPACE, a_rule, an_agent, configure, route
from tests.desk.scene import Scene

ON_MARS = {
    "hours": {
        "time_zone": "Mars/Olympus",
        "stretches": [{"days": ["mon"], "begins": "08:00", "ends": "17:00"}],
    }
}
KINDS = ("agents", "departments", "pages", "rules", "policy")
SALE = Department(id="sale", name="Bán hàng", agents=("an", "binh"))


def test_a_first_roster_is_told_thing_by_thing() -> None:
    scene = Scene()
    rule = a_rule("chi", departments=["sale"])
    events = scene.do(configure(["an", "binh", "chi"], [rule], departments=[SALE]))
    kinds = [type(event) for event in events]
    assert kinds == [*[AgentChanged] * 3, DepartmentChanged, PageChanged, RuleChanged, Done]
    changes = [event for event in events if isinstance(event, RosterEvent)]
    assert {event.version for event in changes} == {1}
    assert {event.cause for event in changes} == {Cause(partition=LANE, offset=1)}
    assert events[-2].ring == ("chi", "an", "binh")
    assert events[-1].result["agents"] == {"added": 3, "changed": 0, "removed": 0}


def test_the_same_roster_again_changes_nothing_and_has_its_outcome() -> None:
    scene = Scene()
    scene.do(configure(["an"], [a_rule("an")]))
    (done,) = scene.do(configure(["an"], [a_rule("an")], idempotency_key="second"))
    assert isinstance(done, Done)
    assert {number for kind in KINDS for number in done.result[kind].values()} == {0}


def test_only_what_differs_is_told() -> None:
    scene = Scene()
    scene.do(configure(["an", "binh"], [a_rule("an", "binh")]))
    again = configure([an_agent("an", 5), "binh"], [a_rule("an", "binh")], idempotency_key="second")
    changed, done = scene.do(again)
    assert isinstance(changed, AgentChanged)
    assert (changed.agent.capacity, changed.version) == (5, 2)
    assert done.result["agents"] == {"added": 0, "changed": 1, "removed": 0}


def test_a_department_changes_the_rules_that_name_it() -> None:
    scene = Scene()
    rules = [a_rule("chi", departments=["sale"])]
    agents = ["an", "binh", "chi"]
    scene.do(configure(agents, rules, departments=[SALE]))
    smaller = SALE.model_copy(update={"agents": ("an",)})
    events = scene.do(configure(agents, rules, departments=[smaller], idempotency_key="second"))
    assert [type(event) for event in events] == [DepartmentChanged, RuleChanged, Done]
    assert (events[1].version, events[1].ring) == (2, ("chi", "an"))


def test_an_agent_who_moves_between_department_and_rule_keeps_his_turn() -> None:
    scene = Scene()
    agents = ["an", "binh", "chi"]
    scene.do(configure(agents, [a_rule("chi", departments=["sale"])], departments=[SALE]))
    scene.do(route("lan"))
    smaller = SALE.model_copy(update={"agents": ("an",)})
    moved = configure(
        agents, [a_rule("binh", "chi", departments=["sale"])], departments=[smaller], idempotency_key="second"
    )
    scene.do(moved)
    for user in ("minh", "tuan", "hoa"):
        scene.do(route(user))
    assert scene.holders() == ["chi", "an", "binh", "chi"]


def test_moving_a_rule_is_a_change_of_it() -> None:
    scene = Scene()
    rules = [a_rule("an", id_="r1"), a_rule("binh", id_="r2")]
    scene.do(configure(["an", "binh"], rules))
    events = scene.do(configure(["an", "binh"], rules[::-1], idempotency_key="second"))
    assert [event.rule.id for event in events[:-1]] == ["r2", "r1"]
    assert scene.do(route("lan"))[-1].holder == "binh"


def test_a_removed_agent_leaves_the_rotation_and_others_have_what_he_held() -> None:
    scene = Scene()
    scene.do(configure(["an", "binh"], [a_rule("an", "binh")]))
    scene.do(route("lan"))
    events = scene.do(configure(["binh"], [a_rule("binh")], idempotency_key="second"))
    removed = next(event for event in events if isinstance(event, AgentChanged))
    assert (removed.agent.id, removed.removed, removed.version) == ("an", True, 2)
    assert scene.conversation("lan").holder == "binh"
    assert [scene.do(route(user))[-1].holder for user in ("minh", "tuan")] == ["binh", "binh"]
    back = scene.do(configure(["an", "binh"], [a_rule("an", "binh")], idempotency_key="third"))
    assert (back[0].agent.id, back[0].removed, back[0].version) == ("an", False, 3)
    assert scene.desk.duties["an"].load == 0


def test_who_waits_is_served_when_somebody_joins() -> None:
    scene = Scene()
    scene.do(configure([an_agent("an", 1)], [a_rule("an")]))
    for user in ("lan", "minh", "tuan", "hoa"):
        scene.do(route(user))
    agents = [an_agent("an", 2), an_agent("binh", 1)]
    events = scene.do(configure(agents, [a_rule("an", "binh")], idempotency_key="second"))
    served = [(event.key.split(":")[-1], event.holder) for event in events if isinstance(event, Assigned)]
    assert served == [("minh", "an"), ("tuan", "binh")]
    assert scene.conversation("hoa").standing == "queued"


def test_who_waits_for_a_rule_that_is_gone_waits_for_the_one_that_holds_now() -> None:
    scene = Scene()
    scene.do(configure([an_agent("an", 1)], [a_rule("an", id_="r1")]))
    scene.do(route("lan"))
    (_, queued) = scene.do(route("minh"))
    agents = [an_agent("an", 1)]
    events = scene.do(configure(agents, [a_rule("an", id_="r2")], idempotency_key="second"))
    again = next(event for event in events if isinstance(event, Queued))
    assert (again.rule, again.queued_at, again.queued_offset) == (
        "r2",
        queued.queued_at,
        queued.queued_offset,
    )
    events = scene.do(configure(agents, [], idempotency_key="third"))
    assert any(isinstance(event, Offered) for event in events)


def test_a_rule_that_no_longer_names_the_page_serves_it_no_more() -> None:
    scene = Scene()
    pages = [PAGE, "zalo:2"]
    scene.do(configure([an_agent("an", 1), "binh"], [a_rule("an", id_="r1")], pages=pages))
    scene.do(route("lan"))
    scene.do(route("minh"))
    rules = [a_rule("an", id_="r1", pages=["zalo:2"]), a_rule("binh", id_="r2")]
    events = scene.do(configure([an_agent("an", 1), "binh"], rules, pages=pages, idempotency_key="second"))
    assigned = next(event for event in events if isinstance(event, Assigned))
    assert (assigned.holder, assigned.why.rule) == ("binh", "r2")


def with_policy(**fields: object) -> Configure:
    """A roster with one agent and this policy."""
    policy = Policy.model_validate(fields)
    return configure(["an"], [a_rule("an")]).model_copy(update={"policy": policy})


def test_a_policy_is_versioned_and_told_when_it_changes() -> None:
    scene = Scene()
    scene.do(configure(["an"], [a_rule("an")]))
    assert scene.desk.roster.policy_version == 0
    command = with_policy(done_from=["accepted"], reasons=[{"id": "gia", "name": "Giá cao"}])
    changed, done = scene.do(command.model_copy(update={"idempotency_key": "second"}))
    assert isinstance(changed, PolicyChanged)
    assert (changed.version, changed.policy.done_from) == (1, ("accepted",))
    assert done.result["policy"] == {"added": 1, "changed": 0, "removed": 0}
    (done,) = scene.do(command.model_copy(update={"idempotency_key": "third"}))
    assert scene.do(configure(["an"], [a_rule("an")], idempotency_key="fourth"))[0].version == 2


def asked_by(agent: str, command: Configure, **fields: object) -> Configure:
    """The same in the name of an agent."""
    return command.model_copy(update={"by": agent, "actor": f"agent:acme/{agent}", **fields})


def test_a_pages_admin_changes_the_rules_of_his_pages_and_nothing_else() -> None:
    scene = Scene()
    pages = [PAGE, "zalo:2"]
    mine, other = a_rule("an", id_="r1"), a_rule("an", id_="r2", pages=["zalo:2"])
    first = configure(["an", "binh"], [mine, other], pages=pages)
    owned = (first.pages[0], first.pages[1].model_copy(update={"admins": ("binh",)}))
    scene.do(first.model_copy(update={"pages": owned}))

    def ask(number: int, rules: list[Rule], **fields: object) -> object:
        command = configure(["an", "binh"], rules, pages=pages, idempotency_key=f"k{number}")
        return scene.do(asked_by("chu", command, pages=owned, **fields))[-1]

    allowed = ask(1, [mine.model_copy(update={"gap_s": 60}), other])
    assert isinstance(allowed, Done)
    assert isinstance(ask(9, [other, mine]), Done)
    forbidden = [
        ask(2, [mine, other.model_copy(update={"gap_s": 60})]),
        ask(3, [mine]),
        ask(5, [mine, other, a_rule("an", id_="r3", pages=[], channels=("zalo",))]),
        ask(6, [mine, other], policy=Policy(silent_after_s=60)),
        ask(7, [mine, other], agents=(an_agent("an"),)),
    ]
    assert {one.code for one in forbidden if isinstance(one, Refused)} == {"forbidden"}
    assert len([one for one in forbidden if isinstance(one, Refused)]) == 5
    assert isinstance(ask(8, [mine], authority="admin"), Done)


@pytest.mark.parametrize(
    ("command", "code", "named"),
    [
        (configure(["an"], [a_rule("an", "ma")]), "unknown_agent", "'ma'"),
        (configure(["an"], [a_rule("an", departments=["ma"])]), "unknown_department", "'ma'"),
        (configure(["an"], [a_rule("an", pages=["zalo:7"])]), "unknown_page", "'zalo:7'"),
        (configure(["an"], [], departments=[SALE]), "unknown_agent", "'binh'"),
        (configure(["an", "an"], []), "named_twice", "'an'"),
        (configure(["an"], [a_rule("an"), a_rule("an")]), "named_twice", "'chia-deu'"),
        (configure(["an"], [a_rule("an", fallback={"kind": "agent", "id": "ma"})]), "unknown_agent", "'ma'"),
        (configure(["an"], [a_rule("an", fallback={"kind": "rule", "id": "ma"})]), "unknown_rule", "'ma'"),
        (configure(["an"], [a_rule("an", fallback={"kind": "rule"})]), "bad_fallback", "id of the rule"),
        (configure(["an"], [a_rule("an", fallback={"kind": "wait", "id": "an"})]), "bad_fallback", "take"),
        (configure(["an"], [a_rule("an", next_rings=[{"agents": ["ma"]}])]), "unknown_agent", "next ring"),
        (
            configure(["an"], [a_rule("an", next_rings=[{"departments": ["ma"]}])]),
            "unknown_department",
            "'ma'",
        ),
        (configure(["an"], [a_rule("an", conditions={"lists": ["gia"]})]), "unknown_keyword_list", "'gia'"),
        (configure(["an"], [a_rule("an", conditions=ON_MARS)]), "unknown_time_zone", "'Mars/Olympus'"),
        (with_policy(reasons=[{"id": "gia", "name": "Giá"}] * 2), "named_twice", "'gia'"),
        (with_policy(keyword_lists=[{"id": "gia", "words": ["giá"]}] * 2), "named_twice", "keyword list"),
        (with_policy(outside_agents={"77": "ma"}), "unknown_agent", "'ma'"),
        (with_policy(hours=ON_MARS["hours"]), "unknown_time_zone", "'Mars/Olympus'"),
    ],
)
def test_what_does_not_fit_together_is_refused_as_a_whole(command: Configure, code: str, named: str) -> None:
    scene = Scene()
    (refused,) = scene.do(command)
    assert isinstance(refused, Refused)
    assert refused.code == code
    assert named in refused.sentence
    assert scene.desk.roster.agents == {}


def test_a_page_of_another_desk_is_refused() -> None:
    scene = Scene()
    scene.desk.elsewhere[PAGE] = "other:main"
    (refused,) = scene.do(configure(["an"], [a_rule("an")]))
    assert refused.code == "other_desk"
    assert PAGE in refused.sentence
    assert "other:main" in refused.sentence


def test_a_repeated_command_has_no_second_outcome() -> None:
    scene = Scene()
    command = configure(["an"], [a_rule("an")])
    scene.do(command)
    assert scene.do(command) == []


def test_a_key_with_another_body_is_refused_and_the_first_outcome_stays() -> None:
    scene = Scene()
    first = configure(["an"], [a_rule("an")])
    scene.do(first)
    (refused,) = scene.do(configure(["an", "binh"], [a_rule("an")]))
    assert refused.code == "key_reused"
    assert scene.do(first) == []


def test_a_key_is_new_again_after_a_day() -> None:
    scene = Scene()
    scene.do(configure(["an"], [a_rule("an")]))
    scene.log.offset += int(timedelta(hours=24) / timedelta(milliseconds=1))
    done = scene.do(configure(["an", "binh"], [a_rule("an")]))[-1]
    assert isinstance(done, Done)


FIELD = TicketField(id="gap", name="Gấp", type="yes_no")


def fields_of(authority: str, *fields: TicketField) -> SetTicketFields:
    return SetTicketFields.model_validate(
        {
            "workspace": WORKSPACE,
            "desk": DESK,
            "actor": f"agent:{WORKSPACE}/chu",
            "idempotency_key": str(uuid4()),
            "by": "chu",
            "authority": authority,
            "fields": fields,
        }
    )


def test_an_admin_says_what_tickets_can_say_until_a_whole_roster_says_otherwise() -> None:
    scene = Scene()
    scene.do(configure(["an"], [a_rule("an")]))
    changed, done = scene.do(fields_of("admin", FIELD))
    assert isinstance(changed, PolicyChanged)
    assert (changed.policy.ticket_fields, done.result) == ((FIELD,), {"fields": ["gap"]})
    (again,) = scene.do(fields_of("admin", FIELD))
    assert isinstance(again, Done)
    scene.do(configure(["an"], [a_rule("an")], idempotency_key="second"))
    assert scene.desk.roster.policy == Policy()


@pytest.mark.parametrize(
    ("authority", "fields", "code"),
    [
        ("agent", (FIELD,), "forbidden"),
        ("admin", (FIELD, FIELD), "named_twice"),
        ("admin", (FIELD.model_copy(update={"type": "choice"}),), "bad_field"),
    ],
)
def test_fields_that_tickets_cannot_have_are_refused(
    authority: str, fields: tuple[TicketField, ...], code: str
) -> None:
    (refused,) = Scene().do(fields_of(authority, *fields))
    assert (type(refused), refused.code) == (Refused, code)


def test_a_roster_with_such_fields_is_refused_as_a_whole() -> None:
    asked = configure(["an"], [a_rule("an")]).model_copy(
        update={"policy": Policy(ticket_fields=(FIELD, FIELD))}
    )
    (refused,) = Scene().do(asked)
    assert refused.code == "named_twice"
