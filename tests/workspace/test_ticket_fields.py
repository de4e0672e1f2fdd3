"""Workspace files: what tickets can say, and which care statuses ask for orders."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.tickets import TicketField
from workers.workspace.loader import load_workspace
from workers.workspace.mistake import WorkspaceFileError

FILE = """\
workspace: hoa-sen
agents: [{id: lan, name: Lan}]
policy:
  order_checks: {pending_close: warn, closed_won: require}
  ticket_fields:
    - {id: nguon, name: Nguồn khách, type: choice, choices: [facebook, zalo], required: true}
    - {id: so-luong, name: Số lượng, type: number, least: 1, most: 99}
    - {id: ghi-chu, name: Ghi chú, chars_max: 500}
"""


def test_fields_of_tickets_and_checks_of_orders_are_read(tmp_path: Path) -> None:
    path = tmp_path / "workspace.yaml"
    path.write_text(FILE, encoding="utf-8")
    (desk,) = load_workspace(path).desks
    assert desk.policy.order_checks == {"pending_close": "warn", "closed_won": "require"}
    assert desk.policy.ticket_fields == (
        TicketField(
            id="nguon", name="Nguồn khách", type="choice", choices=("facebook", "zalo"), required=True
        ),
        TicketField(id="so-luong", name="Số lượng", type="number", least=1, most=99),
        TicketField(id="ghi-chu", name="Ghi chú", chars_max=500),
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "type: choice",
            "type: chioce",
            "the type of the ticket field nguon is 'chioce': did you mean choice",
        ),
        (
            "type: choice, ",
            "",
            "6:7: the ticket field nguon cannot be used: a field of type choice has choices",
        ),
        ("choices: [facebook, zalo], ", "", "a field of type choice has choices, and no other has"),
        ("[facebook, zalo]", "[]", "the choices of the ticket field nguon has 0 members"),
        ("least: 1", "least: 100", "its least is more than its most"),
        ("chars_max: 500", "chars_max: 5000", "chars_max of the ticket field ghi-chu is '5000'"),
        ("id: ghi-chu", "id: nguon", "nguon"),
        ("warn", "warm", "pending_close of order_checks is 'warm': did you mean warn"),
        ("closed_won", "done", "'done' is no field of order_checks"),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert FILE.count(old) == 1
    path = tmp_path / "workspace.yaml"
    path.write_text(FILE.replace(old, new), encoding="utf-8")
    with pytest.raises(WorkspaceFileError) as raised:
        load_workspace(path)
    assert told in str(raised.value)
