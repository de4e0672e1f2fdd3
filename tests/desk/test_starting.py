"""An agent begins a chat with a visitor: he has it, unless somebody else has or was quicker."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.asks import Appoint, Beginning, Block, ReplyClaim, SetCare
from schemas.assignments import Assigned, CareChanged, Confirmed, ReplyRefused, SessionOpened
from schemas.outcomes import Done, Refused
from tests.desk.flows import give_policy
from tests.desk.log import PAGE, a_rule, ask, configure, route, session_ended
from tests.desk.scene import Scene

AGENTS = ("an", "binh", "chu", "khach")


def shop() -> Scene:
    """A page for which an and binh work and that chu administers."""
    scene = Scene()
    scene.do(configure(AGENTS, [a_rule("an", "binh")]))
    return scene


def begin(scene: Scene, agent: str | None, session: int = 1, position: int = 0) -> list[Any]:
    begins = Beginning(page=PAGE, channel="messenger", session=session, position=position, tags=("vip",))
    return scene.do(ask(ReplyClaim, "lan", agent, begins=begins))


def code(events: list[Any]) -> str:
    """Of a refusal that intake and the agent are both told of."""
    told, refused = events
    assert (type(told), type(refused)) == (ReplyRefused, Refused)
    assert told.code == refused.code
    return str(refused.code)


def test_with_one_who_never_wrote_it_begins_everything() -> None:
    scene = shop()
    opened, assigned, done = begin(scene, "binh", position=0)
    assert (type(opened), type(assigned), type(done)) == (SessionOpened, Assigned, Done)
    assert (opened.seq, opened.session, opened.facts.tags) == (1, 1, ("vip",))
    assert (assigned.holder, assigned.why.method, assigned.care) == ("binh", "start", "accepted")
    assert scene.desk.duties["binh"].load == 1
    scene.do(route("lan"))  # the visitor writes: it is his already
    assert scene.holders() == ["binh"]


def test_of_two_who_begin_at_once_the_first_has_it() -> None:
    scene = shop()
    begin(scene, "an")
    assert code(begin(scene, "binh")) in {"taken", "not_listed"}
    assert scene.holders() == ["an"]


def test_a_chat_that_is_over_is_resumed_by_who_has_it_and_by_nobody_else() -> None:
    scene = shop()
    begin(scene, "an")
    scene.do(session_ended("lan"))
    assert code(begin(scene, "binh", 2, 5)) == "taken"
    opened, done = begin(scene, "an", 2, 50)
    assert (opened.session, opened.after_position, opened.holder) == (2, 50, "an")
    assert isinstance(done, Done)


def test_when_the_customer_was_quicker_it_is_an_answer_like_any_other() -> None:
    scene = shop()
    scene.do(route("lan"))
    holder = scene.holders()[0]
    other = "binh" if holder == "an" else "an"
    confirmed, done = begin(scene, holder)
    assert (type(confirmed), type(done)) == (Confirmed, Done)
    assert code(begin(scene, other)) == "taken"
    assert len(scene.events(SessionOpened)) == 1


@pytest.mark.parametrize(
    ("agent", "why"), [("khach", "not_listed"), (None, "forbidden"), ("ai", "unknown_agent")]
)
def test_who_does_not_work_for_the_page_begins_nothing(agent: str | None, why: str) -> None:
    scene = shop()
    assert code(begin(scene, agent)) == why
    assert scene.desk.conversations == {}


def test_nobody_begins_a_chat_with_who_is_kept_out() -> None:
    scene = shop()
    begin(scene, "an")
    scene.do(session_ended("lan"))
    scene.do(ask(Block, "lan", "an"))
    assert code(begin(scene, "an", 2)) == "blocked"


def test_a_page_admin_may_too_and_is_overtaken_by_nobody() -> None:
    scene = shop()
    begin(scene, "chu")
    scene.do(ask(Appoint, "lan", "chu", agent="an"))
    scene.do(session_ended("lan"))
    assert code(begin(scene, "chu", 2)) == "taken"


def test_of_one_that_was_done_the_next_round_says_who_began_it() -> None:
    scene = shop()
    give_policy(scene, done_from=("accepted",))
    begin(scene, "an")
    scene.do(ask(SetCare, "lan", "an", care="done", outcome="won"))
    scene.do(session_ended("lan"))
    changed, *_ = begin(scene, "an", 2)
    assert isinstance(changed, CareChanged)
    assert (changed.round, changed.by, changed.command) == (2, "agent:acme/an", None)
