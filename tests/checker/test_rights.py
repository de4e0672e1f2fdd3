"""Who may bring an event about: keys are an actor's own, two actors may have the same one."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from checker.facts.conversation import Conversation
from checker.invariants.rights import Rights
from schemas.asks import SetCapacity, SetLeave
from schemas.commands import Command, Configure
from tests.checker.desk_plants import of, turn_outcome
from tests.checker.histories import History, faults
from tests.checker.planted import Planted
from tests.desk.log import DESK, WORKSPACE, a_rule, configure, route
from tests.desk.scene import Scene

OFFERED = SimpleNamespace(
    what="transferring", method=None, said={"command": "key-10"}, rank=(442, 6), holder="an"
)
CHAIN: Any = SimpleNamespace(where=lambda _: "messenger:1:u1")
STATE: Any = SimpleNamespace(
    conversation=lambda _: Conversation("messenger:1:u1", holder="an"), admins={}, conversations={}
)


def asked(what: str) -> Any:  # noqa: ANN401 - what is read of an Ask
    """By somebody who is not the holder, under the same key as that of the transfer."""
    return SimpleNamespace(what=what, asker=("w", "main", "agent:w/binh", "key-10"), by="binh", value={})


@pytest.mark.parametrize(("what", "violations"), [("transfer_reject", 0), ("transfer", 1)])
def test_who_rejects_under_the_key_of_who_offered_has_not_offered_it(what: str, violations: int) -> None:
    rights = Rights({})
    rights.before(STATE, CHAIN, OFFERED, asked(what))  # type: ignore[arg-type]
    assert rights.granted.violations == violations


@pytest.mark.parametrize(("admin", "violations"), [("binh", 0), ("chi", 1)])
def test_the_admins_of_a_page_are_those_of_customers_whose_id_has_colons(admin: str, violations: int) -> None:
    taken = SimpleNamespace(
        what="unassigned",
        method=None,
        said={"command": "key-10", "how": "taken_off"},
        rank=(442, 6),
    )
    held = Conversation("tele:shop:a:b", holder="an")
    state: Any = SimpleNamespace(conversation=lambda _: held, admins={"tele:shop": {admin}})
    rights = Rights({})
    rights.before(state, CHAIN, taken, asked("take_off"))  # type: ignore[arg-type]
    assert rights.granted.violations == violations


FIRST, SECOND = PAGES = "zalo:1", "zalo:2"
MODELS: tuple[type[SetLeave | SetCapacity], ...] = SetLeave, SetCapacity


def a_morning() -> Planted:
    """Everybody asks for everybody's leave and capacity; then a page is given up, and all ask again."""
    scene, history = Scene(), History()

    def do(command: Command) -> None:
        before = len(scene.decided)
        scene.do(command)
        history.note(command, scene.log.offset, scene.log.now, scene.decided[before:])

    for pages in (PAGES, (FIRST,)):
        do(_roster(pages))
        do(route("lan", len(pages), page=FIRST))
        for model, by, agent in product(MODELS, ("an", "binh", "chu"), ("an", "binh", "chi")):
            said = {"on_leave": False} if model is SetLeave else {"capacity": 5}
            named = {"workspace": WORKSPACE, "desk": DESK, "by": by, "actor": f"agent:acme/{by}"}
            key = {"idempotency_key": f"{model.__name__}-{agent}-{len(pages)}"}
            do(model.model_validate({**named, **key, "agent": agent, **said}))
    return history.told(scene.desk)


def _roster(pages: tuple[str, ...]) -> Configure:
    """chu administers the first page, binh the other one."""
    rules = [a_rule("an", "chi", id_="first", pages=[FIRST]), a_rule("an", id_="second", pages=pages[1:])]
    command = configure(
        ["an", "binh", "chi", "chu"],
        [rule for rule in rules if rule.pages],
        pages=pages,
        idempotency_key=f"{len(pages)}",
    )
    admins = {FIRST: ("chu",), SECOND: ("binh",)}
    changed = tuple(page.model_copy(update={"admins": admins[page.id]}) for page in command.pages)
    return command.model_copy(update={"pages": changed})


def test_an_agent_is_his_to_send_away_who_administers_all_of_his_pages_as_the_desk_has_it() -> None:
    assert faults(a_morning()) == {}


@pytest.mark.parametrize(
    ("agent", "what", "other", "code", "title"),
    [
        ("an", "refused", "done", "", "only its holder gives it up"),
        ("chi", "done", "refused", "forbidden", "nobody is refused for what he is"),
    ],
)
def test_a_leave_that_is_another_s_to_grant_is_found(
    agent: str, what: str, other: str, code: str, title: str
) -> None:
    planted = a_morning()
    named = of("set_leave", actor="agent:acme/chu", idempotency_key=f"SetLeave-{agent}-2")
    said: dict[str, object] = {"code": code} if code else {"result": {}}
    turn_outcome(what, other, named, **said)(planted)
    assert any(name.startswith(title) for name in faults(planted))
