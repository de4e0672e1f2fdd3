"""`tongdai whatif` on a real log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka.partitioner import DefaultPartitioner

from config.errors import ExitCode
from config.settings import Settings
from schemas import envelope
from schemas.commands import Command
from schemas.ids import desk_key
from tests.cli.conftest import Tongdai
from tests.cli.publishing import Sent, publish
from tests.desk.log import DESK, WORKSPACE, a_rule, configure, route
from workers.routing.desk.decision import KIND_OF

pytestmark = pytest.mark.servers

FILE = """
workspace: acme
agents:
  - {id: an, name: An}
  - {id: binh, name: Binh}
  - {id: chu, name: Chu}
pages:
  - {channel: zalo, account: "100", name: Trang, admins: [chu]}
rules:
  - {id: chia-deu, name: Chia deu, owner: chu, pages: ["zalo:100"], agents: [an, binh], method: round_robin}
"""


def record(command: Command, partitions: int) -> Sent:
    """A command on the log, as its sender writes it."""
    key = desk_key(command.workspace, command.desk).encode()
    named = envelope.headers(
        KIND_OF[type(command)], id_="1", source="test", subject=key.decode(), time="2026-11-22T08:26:40Z"
    )
    numbers = list(range(partitions))
    place = DefaultPartitioner()(key, numbers, numbers)
    return Sent(command.model_dump_json().encode(), key=key, headers=named, partition=place)


async def test_a_recorded_log_is_told_beside_what_would_have_been(
    tongdai: Tongdai,
    settings: Settings,
    topics: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TONGDAI_POSTGRES_DSN", settings.postgres.dsn.get_secret_value())
    file = tmp_path / "acme.yaml"
    file.write_text(FILE, encoding="utf-8")
    empty = await tongdai("whatif", "--rules", str(file))
    assert empty.exit_code == ExitCode.FAILED
    assert "nothing is recorded" in empty.err
    commands = (
        configure(["an", "binh", "chu"], [a_rule("an")]),
        *(route(f"u{number}") for number in range(6)),
        configure(["an"], [a_rule("an")]).model_copy(update={"desk": "other"}),
    )
    partitions = settings.kafka.desk_partitions
    await publish(settings, topics["commands"], [record(command, partitions) for command in commands])

    done = await tongdai("whatif", "--rules", str(file), "--json")
    assert done.exit_code == ExitCode.OK, done.err
    told = done.json()
    assert (WORKSPACE, DESK, told["commands"]) == ("acme", "main", 7)
    assert told["happened"]["given"] == {"an": 6}
    assert told["otherwise"]["given"] == {"an": 3, "binh": 3}
    assert told["moved"] == 3
    table = await tongdai("whatif", "--rules", str(file))
    assert ["given", "to", "binh", "0", "3"] in [line.split() for line in table.out.splitlines()]
    assert "Keyword lists are not tried anew" in table.out

    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    later = (await tongdai("whatif", "--rules", str(file), "--from", tomorrow, "--json")).json()
    assert later["happened"]["given"] == later["otherwise"]["given"] == {}
    wrong = await tongdai("whatif", "--rules", str(file), "--desk", "none")
    assert wrong.exit_code == ExitCode.USAGE
