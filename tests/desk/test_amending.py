"""Changing parts of a desk: what is not named stays, nothing is undone unseen, and no part makes no sense."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from schemas.assignments import Assigned
from schemas.commands import Amend, Configure
from schemas.definitions import Department, Page, Policy, Rule
from schemas.outcomes import Done, Refused
from schemas.roster import AgentChanged, DepartmentChanged, PolicyChanged, RuleChanged
from tests.desk.log import DESK, PAGE, WORKSPACE, a_rule, an_agent, configure, route
from tests.desk.scene import Scene, loaded
from workers.routing.desk.amending import amended
from workers.routing.desk.leaving import may_leave

SALE = Department(id="sale", name="Bán hàng", agents=("an",))
OTHER = "zalo:2"
PAGES = (
    Page(id=PAGE, name="Một", admins=("chu",)),
    Page(id=OTHER, name="Hai", admins=("dung",)),
)
AGENTS = ["an", "binh", "chu", "dung"]
_asked = count()


def scene_of(*rules: Rule) -> Scene:
    """chu administers the first page, dung the other one."""
    scene = Scene()
    first = configure(AGENTS, rules, departments=[SALE], pages=[PAGE, OTHER])
    scene.do(first.model_copy(update={"pages": PAGES}))
    return scene


def amend(scene: Scene, by: str | None = None, **fields: Any) -> Amend:  # noqa: ANN401
    """Asked by an operator, or by `by`; written for the roster that there is."""
    return Amend.model_validate(
        {
            "workspace": WORKSPACE,
            "desk": DESK,
            "actor": f"agent:{WORKSPACE}/{by}" if by else "cli:me",
            "idempotency_key": f"a{next(_asked)}",
            "by": by,
            "version": scene.desk.roster.version,
            **fields,
        }
    )


def in_order(scene: Scene) -> list[str]:
    """The rules, as they are tried."""
    return [entry.definition.id for entry in scene.desk.roster.rules_of(PAGE)]


def test_what_is_not_named_stays_as_it_is() -> None:
    scene = scene_of(a_rule("an", id_="r1"), a_rule("binh", id_="r2"))
    changed, done = scene.do(amend(scene, rules=[a_rule("an", id_="r1", gap_s=60)]))
    assert isinstance(changed, RuleChanged)
    assert (changed.rule.gap_s, changed.position, changed.version) == (60, 0, 2)
    assert isinstance(done, Done)
    assert done.command == "amend"
    assert scene.desk.roster.policy == Policy()


def test_whoever_has_read_an_older_roster_changes_nothing_and_is_told_the_present_one() -> None:
    scene = scene_of(a_rule("an", id_="r1"))
    read = scene.desk.roster.version
    done = scene.do(amend(scene, rules=[a_rule("an", id_="r1", gap_s=60)]))[-1]
    assert done.result["version"] == scene.desk.roster.version == read + 1
    (refused,) = scene.do(amend(scene, version=read, rules=[a_rule("binh", id_="r1")]))
    assert (refused.code, refused.details) == ("moved", {"version": read + 1})
    whole = configure(AGENTS, [], departments=[SALE], idempotency_key="second")
    (refused,) = scene.do(whole.model_copy(update={"version": read, "pages": PAGES}))
    assert refused.code == "moved"
    again = {"version": read + 1, "pages": PAGES, "idempotency_key": "third"}
    assert isinstance(scene.do(whole.model_copy(update=again))[-1], Done)


def test_each_kind_of_change_counts_in_the_version() -> None:
    scene = scene_of(a_rule("an", id_="r1"))
    for fields, kind in (
        ({"agents": [an_agent("moi")]}, AgentChanged),
        ({"departments": [SALE.model_copy(update={"agents": ("an", "moi")})]}, DepartmentChanged),
        ({"policy": Policy(silent_after_s=60)}, PolicyChanged),
        ({"removed": {"departments": ["sale"]}}, DepartmentChanged),
    ):
        before = scene.desk.roster.version
        changed, done = scene.do(amend(scene, **fields))
        assert isinstance(changed, kind)
        assert done.result["version"] == before + 1
    assert loaded(scene.desk).roster.version == scene.desk.roster.version
    assert scene.desk.roster.policy.silent_after_s == 60


def test_a_repeated_change_has_no_second_outcome_though_the_version_has_moved() -> None:
    scene = scene_of(a_rule("an", id_="r1"))
    command = amend(scene, rules=[a_rule("an", id_="r1", gap_s=60)])
    assert isinstance(scene.do(command)[-1], Done)
    assert scene.do(command) == []


def test_a_new_rule_comes_last_or_before_the_one_that_is_named() -> None:
    scene = scene_of(a_rule("an", id_="r1"), a_rule("an", id_="r2"))
    scene.do(amend(scene, rules=[a_rule("an", id_="r3")]))
    scene.do(amend(scene, rules=[a_rule("an", id_="r4"), a_rule("an", id_="r5")], before="r2"))
    assert in_order(scene) == ["r1", "r4", "r5", "r2", "r3"]
    scene.do(amend(scene, rules=[a_rule("an", id_="r3")], before="r1"))
    assert in_order(scene) == ["r3", "r1", "r4", "r5", "r2"]
    scene.do(amend(scene, order=["r5", "r4", "r3", "r2", "r1"]))
    assert in_order(scene) == ["r5", "r4", "r3", "r2", "r1"]
    scene.do(amend(scene, removed={"rules": ["r4", "r1"]}))
    assert in_order(scene) == ["r5", "r3", "r2"]


def test_leave_is_not_touched_by_what_changes_an_agent() -> None:
    scene = scene_of()
    away = an_agent("an").model_copy(update={"on_leave": True})
    scene.do(configure([away, *AGENTS[1:]], [], idempotency_key="away"))
    changed, _ = scene.do(amend(scene, agents=[an_agent("an", 5)]))
    assert (changed.agent.capacity, changed.agent.on_leave) == (5, True)


def test_who_is_removed_gives_up_what_he_holds() -> None:
    scene = scene_of(a_rule("an", "binh"))
    scene.do(route("lan"))
    command = amend(
        scene,
        rules=[a_rule("binh")],
        departments=[SALE.model_copy(update={"agents": ()})],
        removed={"agents": ["an"]},
    )
    assert set(may_leave(scene.desk, command)) == {"an"}
    events = scene.do(command)
    assert scene.conversation("lan").holder == "binh"
    assert events[-1].result["conversations"] == {"released": 1}


def test_the_next_customer_is_dealt_by_the_rule_as_it_is_now() -> None:
    scene = scene_of(a_rule("an"))
    scene.do(amend(scene, rules=[a_rule("binh", id_="moi")], before="chia-deu"))
    assigned = next(event for event in scene.do(route("lan")) if isinstance(event, Assigned))
    assert (assigned.holder, assigned.why.rule) == ("binh", "moi")


def test_a_pages_admin_changes_adds_moves_and_removes_the_rules_of_his_pages() -> None:
    mine, other = a_rule("an", id_="mine"), a_rule("an", id_="other", pages=[OTHER])
    catch_all = a_rule("an", id_="all", pages=[], channels=["zalo"])
    scene = scene_of(mine, catch_all, other)
    allowed: tuple[dict[str, Any], ...] = (
        {"rules": [mine.model_copy(update={"gap_s": 60})]},
        {"rules": [a_rule("binh", id_="new")], "before": "all"},
        {"order": ["new", "all", "mine", "other"]},
        {"removed": {"rules": ["mine"]}},
    )
    for fields in allowed:
        assert isinstance(scene.do(amend(scene, "chu", **fields))[-1], Done), fields
    assert in_order(scene) == ["new", "all"]
    for fields in (
        {"rules": [other.model_copy(update={"gap_s": 60})]},
        {"rules": [a_rule("an", id_="new", pages=[PAGE, OTHER])]},
        {"rules": [a_rule("an", id_="wide", pages=[], channels=["zalo"])]},
        {"order": ["new", "other", "all"]},
        {"removed": {"rules": ["other"]}},
        {"removed": {"departments": ["sale"]}},
        {"policy": Policy(silent_after_s=60)},
        {"agents": [an_agent("an", 1)]},
        {"pages": [PAGES[0].model_copy(update={"name": "Khác"})]},
    ):
        (refused,) = scene.do(amend(scene, "chu", **fields))
        assert (type(refused), refused.code) == (Refused, "forbidden"), fields
    assert isinstance(scene.do(amend(scene, "chu", authority="admin", removed={"rules": ["all"]}))[-1], Done)


def test_the_order_of_others_is_that_in_which_they_are_tried() -> None:
    """Not that in which the desk came to know them: a desk that was loaded would decide otherwise."""
    one, two = (a_rule("an", id_=id_, pages=[OTHER]) for id_ in ("one", "two"))
    scene = scene_of(one, two)
    scene.do(amend(scene, order=["two", "one"]))
    assert isinstance(scene.do(amend(scene, "chu", rules=[a_rule("an", id_="mine")]))[-1], Done)
    (refused,) = scene.do(amend(scene, "chu", order=["one", "two", "mine"]))
    assert refused.code == "forbidden"


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"rules": [a_rule("ma")]}, "unknown_agent", "'ma'"),
        ({"rules": [a_rule("an", owner="ma")]}, "unknown_agent", "the owner of the rule 'chia-deu'"),
        ({"rules": [a_rule(id_="none")]}, "nobody_named", "'none'"),
        ({"rules": [a_rule("an", pages=[])]}, "no_page_named", "'chia-deu'"),
        ({"rules": [a_rule("an"), a_rule("an")]}, "named_twice", "'chia-deu'"),
        ({"rules": [a_rule("an", id_="r1")], "removed": {"rules": ["r1"]}}, "named_twice", "'r1'"),
        ({"rules": [a_rule("an", id_="new")], "before": "ma"}, "unknown_rule", "'ma'"),
        ({"order": ["r1", "r1"]}, "bad_order", "once"),
        ({"order": ["r1", "ma"]}, "bad_order", "once"),
        ({"order": ["r2", "r1"], "before": "r1"}, "bad_order", "say one of them"),
        ({"removed": {"rules": ["ma"]}}, "unknown_rule", "'ma'"),
        ({"removed": {"departments": ["ma"]}}, "unknown_department", "'ma'"),
        ({"removed": {"agents": ["ma"]}}, "unknown_agent", "'ma'"),
        ({"removed": {"agents": ["an"]}}, "unknown_agent", "the department 'sale'"),
        ({"removed": {"agents": ["chu"]}}, "unknown_agent", "the owner of the rule 'r1'"),
        ({"removed": {"agents": ["dung"]}}, "unknown_agent", f"the page {OTHER!r}"),
        ({"pages": [Page(id="zalo:7", name="Mới", admins=("an",))]}, "unknown_page", "'zalo:7'"),
        ({"pages": [PAGES[0].model_copy(update={"admins": ("ma",)})]}, "unknown_agent", "'ma'"),
        ({"departments": [SALE.model_copy(update={"agents": ("ma",)})]}, "unknown_agent", "'ma'"),
    ],
)
def test_what_makes_no_sense_is_refused_as_a_whole(fields: dict[str, Any], code: str, named: str) -> None:
    scene = scene_of(a_rule("an", id_="r1"), a_rule("an", id_="r2"))
    before = scene.desk.roster.version
    (refused,) = scene.do(amend(scene, **fields))
    assert (type(refused), refused.code) == (Refused, code), refused
    assert named in refused.sentence
    assert scene.desk.roster.version == before


def test_an_agent_of_another_desk_is_refused() -> None:
    scene = scene_of()
    scene.desk.elsewhere["moi"] = "acme:bac"
    (refused,) = scene.do(amend(scene, agents=[an_agent("moi")]))
    assert refused.code == "other_desk"


@pytest.mark.parametrize("whole", [False, True])
def test_the_same_is_said_in_the_same_order_however_the_desk_came_to_know_its_people(*, whole: bool) -> None:
    """Their tables give them in an order of their own."""
    said = []
    for agents in (["an", "binh", "chi", "dung"], ["chi", "dung", "binh", "an"]):
        scene = Scene()
        scene.do(configure(agents, [], pages=()))
        agents_now = [an_agent("chi", 1), an_agent("binh", 2)]
        command = amend(scene, removed={"agents": ["dung", "an"]}, agents=agents_now)
        command = command.model_copy(update={"idempotency_key": "same"})
        asked = amended(scene.desk.roster, command) if whole else command
        said.append([event.model_dump_json() for event in scene.do(asked)])
    assert said[0] == said[1]


def test_a_desk_takes_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.routing.desk.amend_refusals.RULES_MAX", 2)
    scene = scene_of(a_rule("an", id_="r1"), a_rule("an", id_="r2"))
    (refused,) = scene.do(amend(scene, rules=[a_rule("an", id_="r3")]))
    assert refused.code == "too_many"


def test_what_nobody_touches_may_say_what_a_file_would_not() -> None:
    scene = scene_of(a_rule("an", id_="r1", owner="nobody"), a_rule("an", id_="r2"))
    assert isinstance(scene.do(amend(scene, removed={"rules": ["r2"]}))[-1], Done)


def test_the_whole_that_a_change_comes_to_is_what_a_configure_would_say() -> None:
    scene = scene_of(a_rule("an", id_="r1"))
    command = amend(scene, rules=[a_rule("binh", id_="r2")], policy=Policy(silent_after_s=60))
    wanted = amended(scene.desk.roster, command)
    assert Configure.model_validate_json(wanted.model_dump_json()) == wanted
