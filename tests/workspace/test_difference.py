"""What a file would change."""

from __future__ import annotations

from schemas.definitions import Agent, Department, Page, Policy, Rule
from workers.workspace.difference import Change, changes_of, counts
from workers.workspace.workspace import DeskRoster

LAN = Agent(id="lan", name="Lan", capacity=5)
MAI = Agent(id="mai", name="Mai")
SALES = Department(id="ban-hang", name="Bán hàng", agents=("lan",))
PAGE = Page(id="zalo:1", name="Một", admins=("lan",))
FIRST = Rule(id="mot", name="Một", owner="lan", pages=("zalo:1",), agents=("lan",))
SECOND = Rule(id="hai", name="Hai", owner="lan", pages=("zalo:1",), agents=("lan",))
EMPTY = DeskRoster("main", (), (), (), ())
FULL = DeskRoster("main", (LAN, MAI), (SALES,), (PAGE,), (FIRST, SECOND))


def test_nothing_differs_from_itself() -> None:
    assert changes_of(FULL, FULL).changes == ()


def test_everything_is_added_to_an_empty_desk_and_removed_again() -> None:
    expected = {"agent": 2, "department": 1, "page": 1, "rule": 2}
    assert counts(changes_of(EMPTY, FULL).changes) == {kind: {"added": n} for kind, n in expected.items()}
    assert counts(changes_of(FULL, EMPTY).changes) == {kind: {"removed": n} for kind, n in expected.items()}


def test_a_change_names_its_fields() -> None:
    older = DeskRoster(
        "main", (LAN.model_copy(update={"capacity": 9, "name": "Lân"}), MAI), (SALES,), (PAGE,), ()
    )
    newer = DeskRoster("main", (LAN, MAI), (SALES,), (PAGE,), ())
    assert changes_of(older, newer).changes == (Change("changed", "agent", "lan", "Lan", "name, capacity"),)


def test_rules_that_change_places_have_changed() -> None:
    swapped = DeskRoster("main", (LAN, MAI), (SALES,), (PAGE,), (SECOND, FIRST))
    assert [(change.id, change.why) for change in changes_of(FULL, swapped).changes] == [
        ("hai", "order"),
        ("mot", "order"),
    ]


def test_a_rule_added_before_others_moves_them_only_relatively() -> None:
    third = SECOND.model_copy(update={"id": "ba", "name": "Ba"})
    wanted = DeskRoster("main", (LAN, MAI), (SALES,), (PAGE,), (third, FIRST, SECOND))
    assert [change.id for change in changes_of(FULL, wanted).changes] == ["ba"]


def test_leave_that_a_file_does_not_mention_stays_as_it_is() -> None:
    away = LAN.model_copy(update={"on_leave": True})
    present = DeskRoster("main", (away, MAI), (), (), ())
    unsaid = changes_of(present, DeskRoster("main", (LAN, MAI), (), (), ()))
    assert unsaid.changes == ()
    assert unsaid.roster.agents[0].on_leave
    back = Agent(id="lan", name="Lan", capacity=5, on_leave=False)
    said = changes_of(present, DeskRoster("main", (back, MAI), (), (), ()))
    assert said.changes == (Change("changed", "agent", "lan", "Lan", "on_leave"),)


def test_who_is_removed_or_sent_on_leave_gives_up_what_he_holds() -> None:
    away = Agent(id="mai", name="Mai", on_leave=True)
    present = DeskRoster("main", (LAN, MAI), (), (), ())
    assert changes_of(present, DeskRoster("main", (away,), (), (), ())).leaving == ("lan", "mai")
    assert changes_of(present, present).leaving == ()
    gone = DeskRoster("main", (LAN, away), (), (), ())
    assert changes_of(gone, DeskRoster("main", (LAN, away), (), (), ())).leaving == ()
    assert changes_of(gone, DeskRoster("main", (LAN,), (), (), ())).leaving == ("mai",)


def test_a_policy_changes_by_its_fields() -> None:
    wanted = DeskRoster("main", (), (), (), (), Policy(silent_after_s=60, transfer_timeout_s=30))
    (change,) = changes_of(EMPTY, wanted).changes
    assert (change.kind, change.why) == ("policy", "silent_after_s, transfer_timeout_s")
