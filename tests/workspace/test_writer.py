"""A workspace file that is written says what is there: read again, it changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schemas.definitions import Agent, AutoText, Department, Page, Policy, Rule, Team
from schemas.tickets import TicketField
from tests.workspace.test_loader import SAMPLE
from tests.workspace.test_options import FULL
from workers.workspace.difference import changes_of
from workers.workspace.loader import load_workspace
from workers.workspace.workspace import DeskRoster, Workspace
from workers.workspace.writer import workspace_text

AWKWARD = DeskRoster(
    id="main",
    agents=tuple(Agent(id=id_, name=id_) for id_ in ("null", "yes", "0104", "1e3", "08-00")),
    departments=(
        Department(id="on", name="- {#", agents=()),
        Department(id="a", name="*a: &b", agents=("null",)),
    ),
    pages=(
        Page(
            id="zalo:0104",
            name="'\"\\ \u202e👩\u200d💼",
            admins=("null", "yes"),
            greeting=AutoText(vi="Chào:\n\n  - bạn\t# ạ\u0085\x1b\n", en="~"),
        ),
    ),
    rules=(
        Rule(
            id="no",
            name="no",
            owner="yes",
            pages=("zalo:0104",),
            channels=("web",),
            agents=("0104",),
            vip_tags=("null", "3.0", " x "),
            offline_grace_s=0,
            next_rings=(Team(agents=("yes",)), Team(departments=("on",))),
            reply_claims=True,
        ),
    ),
    policy=Policy(
        done_from=(),
        outside_agents={"077": "yes"},
        order_checks={"closed_won": "warn"},
        ticket_fields=(TicketField(id="n", name="N", type="number", least=3.0, most=7.0),),
    ),
)


def read_again(folder: Path, workspace: Workspace) -> Workspace:
    file = folder / "written.yaml"
    file.write_text(workspace_text(workspace), encoding="utf-8")
    return load_workspace(file)


@pytest.mark.parametrize("text", [SAMPLE.read_text(encoding="utf-8"), FULL], ids=["sample", "full"])
def test_what_a_file_says_is_written_as_a_file_that_says_the_same(tmp_path: Path, text: str) -> None:
    (tmp_path / "first.yaml").write_text(text, encoding="utf-8")
    first = load_workspace(tmp_path / "first.yaml")
    again = read_again(tmp_path, first)
    for before, after in zip(first.desks, again.desks, strict=True):
        assert changes_of(before, after).changes == ()
    assert workspace_text(again) == workspace_text(first)


def test_whatever_people_are_called_is_read_as_it_was_written(tmp_path: Path) -> None:
    other = DeskRoster("bac", (), (), (), ())
    for workspace in (Workspace("on", (AWKWARD,)), Workspace("on", (other, AWKWARD))):
        assert read_again(tmp_path, workspace) == workspace


def test_who_is_on_leave_stays_so(tmp_path: Path) -> None:
    away = replace(AWKWARD, agents=tuple(one.model_copy(update={"on_leave": True}) for one in AWKWARD.agents))
    (desk,) = read_again(tmp_path, Workspace("on", (away,))).desks
    assert changes_of(away, desk).changes == ()
