"""Who administers a page no more follows no more what he followed as its admin, by the act that says so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from schemas.asks import Follow, Release, TakeOver, Unfollow
from schemas.assignments import Followed, Unfollowed
from schemas.commands import Amend, Configure, Vacate
from schemas.definitions import Page, Policy
from schemas.outcomes import Done
from schemas.roster import PageChanged
from tests.desk.flows import names
from tests.desk.log import DESK, PAGE, WORKSPACE, a_rule, ask, configure, key_of, route
from tests.desk.scene import Scene, restarted, snapshot
from tests.desk.test_leavers import going_on
from tests.desk.world import World
from workers.routing.desk import leaving, memory

OTHER_PAGE = "zalo:7"
PEOPLE = ["an", "chu", "ha", "xa"]
RULES = (a_rule("an"), a_rule("an", id_="other", pages=[OTHER_PAGE]))
USERS = ("lan", "minh", "tuan")


def administered(key: str, **admins: Sequence[str]) -> Configure:
    """The desk, whose first and `other` page have these admins."""
    pages = [
        Page(id=id_, name=id_, admins=tuple(admins[name]))
        for name, id_ in (("first", PAGE), ("other", OTHER_PAGE))
        if name in admins
    ]
    rules = [rule for rule in RULES if set(rule.pages) <= {page.id for page in pages}]
    wanted = configure(PEOPLE, rules, pages=(), idempotency_key=key)
    return wanted.model_copy(update={"pages": tuple(pages)})


@pytest.fixture
def scene() -> Scene:
    """An holds all of them; ha and xa, who are admins of both pages, follow lan; xa follows nga."""
    scene = Scene()
    scene.do(administered("begin", first=["chu", "ha", "xa"], other=["xa", "chu"]))
    for user in USERS:
        scene.do(route(user))
    scene.do(route("nga", page=OTHER_PAGE))
    for agent in ("ha", "xa"):
        scene.do(ask(Follow, "lan", agent))
    scene.do(ask(Follow, "nga", "xa", page=OTHER_PAGE))
    return scene


def followers(scene: Scene, user: str, page: str = PAGE) -> set[str]:
    return set(scene.desk.conversations[key_of(user, page)].followers)


def test_a_follow_says_whether_it_is_an_admins(scene: Scene) -> None:
    scene.do(ask(Unfollow, "lan", "an"))
    scene.do(ask(Follow, "lan", "an"))
    scene.do(ask(Follow, "minh", "chu", authority="admin"))
    assert [(one.agent, one.as_admin) for one in scene.events(Followed)] == [
        ("ha", True),
        ("xa", True),
        ("xa", True),
        ("an", False),
        ("chu", False),
    ]


def test_who_is_demoted_follows_no_more_what_he_followed_as_admin(scene: Scene) -> None:
    events = scene.do(administered("demoted", first=["chu", "xa"], other=["xa", "chu"]))
    assert names(events) == ["PageChanged", "Unfollowed"]
    assert (events[1].key, events[1].agent, events[1].holder) == (key_of("lan"), "ha", "an")
    assert followers(scene, "lan") == {"an", "xa"}
    assert followers(scene, "nga", OTHER_PAGE) == {"an", "xa"}


def test_so_does_who_loses_his_page_by_a_change_of_it_alone(scene: Scene) -> None:
    amend = {
        "workspace": WORKSPACE,
        "desk": DESK,
        "actor": "agent:acme/chu",
        "by": "chu",
        "authority": "admin",
    }
    page = Page(id=PAGE, name="Trang", admins=("chu",))
    said = {"idempotency_key": "put", "version": scene.desk.roster.version, "pages": [page]}
    scene.do(Amend.model_validate(amend | said))
    assert isinstance(scene.decided[-1].event, Done)
    assert [(one.key, one.agent) for one in scene.events(Unfollowed)] == [
        (key_of("lan"), "ha"),
        (key_of("lan"), "xa"),
    ]


def test_of_a_page_that_is_given_up_nobody_is_an_admin(scene: Scene) -> None:
    scene.do(administered("without", first=["chu", "ha", "xa"]))
    assert followers(scene, "nga", OTHER_PAGE) == {"an"}
    assert followers(scene, "lan") == {"an", "ha", "xa"}


def test_what_he_holds_or_has_held_stays_on_his_list(scene: Scene) -> None:
    """Who had a customer follows him whatever he was then: that is no right of admins."""
    for user in ("lan", "minh"):
        scene.do(ask(TakeOver, user, "ha"))
    scene.do(ask(Release, "minh", "ha"))
    scene.do(administered("demoted", first=["chu"], other=["xa"]))
    assert "ha" in followers(scene, "lan") & followers(scene, "minh")
    assert [one.agent for one in scene.events(Unfollowed)] == ["xa"]


def test_what_he_had_given_up_and_follows_anew_he_follows_as_admin(scene: Scene) -> None:
    scene.do(ask(TakeOver, "minh", "ha"))
    scene.do(ask(Release, "minh", "ha"))
    scene.do(ask(Unfollow, "minh", "ha"))
    scene.do(ask(Follow, "minh", "ha"))
    scene.do(administered("demoted", first=["chu", "xa"], other=["xa", "chu"]))
    assert "ha" not in followers(scene, "minh")


def test_who_may_follow_as_an_admin_of_the_workspace_goes_on(scene: Scene) -> None:
    scene.do(ask(Follow, "minh", "chu", authority="admin"))
    scene.do(administered("demoted", first=["ha", "xa"], other=["xa"]))
    assert "chu" in followers(scene, "minh")


def test_a_change_that_demotes_nobody_ends_nothing(scene: Scene) -> None:
    wanted = administered("policy", first=["xa", "ha", "chu"], other=["xa", "chu", "ha"])
    events = scene.do(wanted.model_copy(update={"policy": Policy(former_holders_follow=False)}))
    assert {type(one) for one in events} & {PageChanged, Unfollowed} == {PageChanged}


def test_the_tables_know_who_follows_as_admin(scene: Scene) -> None:
    assert snapshot(restarted(scene.desk)) == snapshot(scene.desk)


class TestParts:
    """Of two conversations each."""

    @pytest.fixture(autouse=True)
    def part(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (leaving, memory):
            monkeypatch.setattr(module, "PART", 2)

    def test_what_is_too_much_for_one_decision_follows(self, scene: Scene) -> None:
        for user in ("minh", "tuan"):
            scene.do(ask(Follow, user, "xa"))
        *_, done = scene.do(administered("demoted", first=["chu", "ha"], other=["chu"]))
        assert done.result["conversations"] == {"released": 0, "more_follow": True}
        (further,) = scene.events(Vacate)
        assert (further.leaving, further.pages) == ({}, (PAGE, OTHER_PAGE))
        scene.do(further)
        assert [(one.key, one.agent) for one in scene.events(Unfollowed)] == [
            (key, "xa") for key in (*(key_of(user) for user in USERS), key_of("nga", OTHER_PAGE))
        ]
        assert len(scene.events(Vacate)) == 1
        assert scene.do(further) == []

    def test_who_is_an_admin_again_by_then_keeps_the_rest(self, scene: Scene) -> None:
        for user in ("minh", "tuan"):
            scene.do(ask(Follow, user, "xa"))
        scene.do(administered("demoted", first=["chu", "ha"], other=["xa"]))
        scene.do(administered("again", first=["chu", "ha", "xa"], other=["xa"]))
        assert scene.do(scene.events(Vacate)[0]) == []
        assert "xa" in followers(scene, "tuan")

    async def test_a_worker_that_knows_nothing_of_them_finds_them_all(self, world: World) -> None:
        users = [f"u{number}" for number in range(5)]
        begin = administered("begin", first=["chu", "ha", "xa"], other=["xa"])
        follows = [ask(Follow, user, agent) for user in users for agent in ("ha", "xa")]
        await world.handle(begin, *map(route, users), *follows)
        world.handler.forget()
        batch = await world.handle(
            ask(Unfollow, "u0", "ha"), administered("demoted", first=["chu", "xa"], other=["xa"])
        )
        count = 1
        while (following := going_on(world, batch)) is not None:
            world.handler.forget()
            batch = await world.handle(following)
            count += 1
        assert count == 2
        stored = await world.stored()
        assert {frozenset(one.followers) for one in stored.values()} == {frozenset({"an", "xa"})}
        assert {frozenset(one.admin_followers) for one in stored.values()} == {frozenset({"xa"})}
        assert stored == dict(world.desk_of_events().conversations)
