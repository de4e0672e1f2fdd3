"""Hundreds of desks that one batch names are loaded at once, each row looked at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from schemas.definitions import Agent
from workers.routing.desk.loading import AGENTS, load_desks

DESKS = [("shop", f"desk-{number}") for number in range(200)]


class Row(dict[str, Any]):
    """A row that counts how often each of its columns is read."""

    def __init__(self, columns: dict[str, Any]) -> None:
        super().__init__(columns)
        self.reads: Counter[str] = Counter()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  any column
        self.reads[name] += 1
        return super().__getitem__(name)


class Tables:
    """Postgres, as far as it knows an agent of each desk."""

    def __init__(self) -> None:
        self.rows = [Row(_agent(workspace, desk)) for workspace, desk in DESKS]

    async def fetch(self, statement: str, *_: Sequence[str]) -> list[Row]:
        """The agents, and nothing else."""
        return self.rows if statement == AGENTS else []


async def test_each_desk_gets_its_own_rows_and_each_row_is_looked_at_once() -> None:
    tables = Tables()
    desks = await load_desks(tables, DESKS)

    assert {name: list(desk.roster.agents) for name, desk in desks.items()} == {
        name: [f"agent-of-{name[1]}"] for name in DESKS
    }
    assert all(row.reads["desk_id"] == 1 for row in tables.rows)


def _agent(workspace: str, desk: str) -> dict[str, Any]:
    agent = Agent(id=f"agent-of-{desk}", name="An")
    return {
        "workspace_id": workspace,
        "desk_id": desk,
        "definition": agent.model_dump_json(),
        "version": 1,
        "active": True,
    }
