"""`tongdai apply` on a real Kafka and Postgres; the test plays the desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import murmur2

from config.errors import DependencyError, TongdaiError
from config.settings import Settings
from schemas.base import rfc3339
from schemas.commands import Configure
from schemas.definitions import Policy
from schemas.envelope import Kind, headers, moment, read_kind
from schemas.outcomes import Done, Refused
from workers.cli.exits import expected_error
from workers.routing.desk.preview import Held
from workers.workspace.apply import DeskOutcome, apply_plan, plan_workspace
from workers.workspace.export import read_workspace
from workers.workspace.loader import load_workspace
from workers.workspace.registry import ReservationError
from workers.workspace.release import lock_pages
from workers.workspace.report import plan_lines
from workers.workspace.workspace import Workspace

pytestmark = pytest.mark.servers

SAMPLE = Path(__file__).parents[2] / "workers" / "local" / "sample.yaml"
PAGE = "messenger:104857600012345"
DEADLINE_S = 90.0
SHORT_S = 0.5
REGISTERED = "INSERT INTO page_registry VALUES ($1, 'hoa-sen', 'main')"
CONVERSATION = """
INSERT INTO conversation VALUES ('hoa-sen', gen_random_uuid(), 'main', 0, 'k', $1, 1, 1, 1,
    'idle', NULL, false, 1, true, 1, 0, now(), NULL)
"""
_TABLES = {"agents": "agent", "departments": "department", "pages": "page"}


@pytest.fixture
def workspace() -> Workspace:
    """The sample of the demo."""
    return load_workspace(SAMPLE)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()


class Desk:
    """Reads one command and answers it as a desk would."""

    def __init__(self, settings: Settings, topics: dict[str, str], refuse: str | None = None) -> None:
        self.settings, self.topics, self.refuse = settings, topics, refuse
        self.partition = -1

    async def answer_one(self) -> Configure:
        """Carry out, or refuse, the first command on the topic."""
        options = self.settings.kafka.client_options()
        consumer = AIOKafkaConsumer(self.topics["commands"], **options, auto_offset_reset="earliest")
        async with consumer, asyncio.timeout(DEADLINE_S):
            record = await consumer.getone()
        assert read_kind(record.headers, "commands") == Kind("commands", "configure")
        assert record.value is not None
        command = Configure.model_validate_json(record.value)
        assert record.key == f"{command.workspace}:{command.desk}".encode()
        self.partition = record.partition
        if self.refuse is None:
            await self._carry_out(command)
        await self._publish(command, record.timestamp)
        return command

    async def _carry_out(self, command: Configure) -> None:
        async with _database(self.settings) as connection:
            await connection.execute(
                "INSERT INTO desk_policy VALUES ($1, $2, $3, 1)",
                *(command.workspace, command.desk, command.policy.model_dump_json()),
            )
            for field, word in _TABLES.items():
                for one in getattr(command, field):
                    await connection.execute(
                        f"INSERT INTO desk_{word} VALUES ($1, $2, $3, $4, 1, true)",
                        *(command.workspace, command.desk, one.id, one.model_dump_json()),
                    )
            for position, rule in enumerate(command.rules):
                await connection.execute(
                    "INSERT INTO desk_rule (workspace_id, desk_id, rule_id, definition, version, active,"
                    " position, ring) VALUES ($1, $2, $3, $4, 1, true, $5, '{}')",
                    *(command.workspace, command.desk, rule.id, rule.model_dump_json(), position),
                )

    async def _publish(self, command: Configure, timestamp_ms: int) -> None:
        common: dict[str, Any] = {
            "workspace": command.workspace,
            "desk": command.desk,
            "actor": command.actor,
            "idempotency_key": command.idempotency_key,
            "command": "configure",
            "request_sha256": "0" * 64,
            "at": moment(timestamp_ms),
        }
        outcome = (
            Refused(**common, code="other_desk", sentence=self.refuse) if self.refuse else Done(**common)
        )
        kind = Kind("outcomes", "refused" if self.refuse else "done")
        stamped = headers(
            kind,
            id_=command.idempotency_key,
            source="test",
            subject=command.actor,
            time=rfc3339(moment(timestamp_ms)),
        )
        async with AIOKafkaProducer(**self.settings.kafka.client_options()) as producer:
            await producer.send_and_wait(
                self.topics["outcomes"], b"not ours", key=b"cli:someone-else", headers=stamped
            )
            await producer.send_and_wait(
                self.topics["outcomes"],
                outcome.model_dump_json().encode(),
                key=command.actor.encode(),
                headers=stamped,
            )


async def _apply(settings: Settings, workspace: Workspace, desk: Desk) -> tuple[Configure, DeskOutcome]:
    plan = await plan_workspace(settings, workspace)
    async with asyncio.TaskGroup() as group:
        answering = group.create_task(desk.answer_one())
        applying = group.create_task(apply_plan(settings, plan, DEADLINE_S))
    (outcome,) = applying.result()
    assert outcome.outcome is not None
    return answering.result(), outcome


async def test_a_file_becomes_one_command_and_its_outcome_is_read(
    settings: Settings, topics: dict[str, str], workspace: Workspace
) -> None:
    desk = Desk(settings, topics)
    command, outcome = await _apply(settings, workspace, desk)
    roster = workspace.desks[0]
    assert (command.agents, command.pages, command.rules) == (roster.agents, roster.pages, roster.rules)
    assert command.actor.startswith("cli:")
    assert command.version == 0, "who changed the desk meanwhile would be overwritten unseen"
    partitions = settings.kafka.desk_partitions
    assert desk.partition == (murmur2(b"hoa-sen:main") & 0x7FFFFFFF) % partitions
    assert isinstance(outcome.outcome, Done)
    async with _database(settings) as connection:
        pages = await connection.fetch("SELECT page_id, workspace_id, desk_id FROM page_registry")
        agents = await connection.fetchval("SELECT count(*) FROM agent_registry WHERE desk_id = 'main'")
    assert {tuple(row) for row in pages} == {(page.id, "hoa-sen", "main") for page in roster.pages}
    assert agents == 12


async def test_applying_again_sends_nothing_and_reserves_what_was_given_up_meanwhile(
    settings: Settings, topics: dict[str, str], workspace: Workspace
) -> None:
    await _apply(settings, workspace, Desk(settings, topics))
    async with _database(settings) as connection:
        await connection.execute("DELETE FROM page_registry WHERE page_id = $1", PAGE)
        plan = await plan_workspace(settings, workspace)
        assert plan.changing == ()
        assert await apply_plan(settings, plan, DEADLINE_S) == ()
        assert await connection.fetchval("SELECT count(*) FROM page_registry WHERE page_id = $1", PAGE) == 1
    there = await read_workspace(settings, "hoa-sen")
    assert (await plan_workspace(settings, there)).changing == ()
    with pytest.raises(TongdaiError, match="check its id"):
        await read_workspace(settings, "hoa-hue")


async def test_a_page_of_another_workspace_is_refused_and_nothing_is_reserved(
    settings: Settings, workspace: Workspace
) -> None:
    async with _database(settings) as connection:
        await connection.execute("INSERT INTO page_registry VALUES ($1, 'other', 'main')", PAGE)
        with pytest.raises(ReservationError, match=f"page {PAGE} is reserved by the workspace other"):
            await plan_workspace(settings, workspace)
        assert await connection.fetchval("SELECT count(*) FROM page_registry") == 1
        assert await connection.fetchval("SELECT count(*) FROM agent_registry") == 0


async def test_of_two_workspaces_that_want_a_page_at_once_one_has_it(
    settings: Settings, topics: dict[str, str], workspace: Workspace
) -> None:
    del topics
    plans = [
        await plan_workspace(settings, Workspace(id_, workspace.desks)) for id_ in ("hoa-sen", "hoa-hue")
    ]
    results = await asyncio.gather(
        *(apply_plan(settings, plan, SHORT_S) for plan in plans), return_exceptions=True
    )
    assert {type(result) for result in results} == {ReservationError, tuple}


async def test_a_page_with_conversations_does_not_change_its_desk(
    settings: Settings, topics: dict[str, str], workspace: Workspace
) -> None:
    await _apply(settings, workspace, Desk(settings, topics))
    roster = workspace.desks[0]
    moved = Workspace("hoa-sen", (type(roster)("bac", (), (), roster.pages[:1], ()),))
    assert (await plan_workspace(settings, moved)).left_alone == ("main",)
    async with _database(settings) as connection:
        await connection.execute(CONVERSATION, PAGE)
    with pytest.raises(ReservationError, match=f"page {PAGE} has conversations on the desk main"):
        await plan_workspace(settings, moved)


async def test_a_page_that_the_file_leaves_out_is_given_up_unless_it_has_conversations(
    settings: Settings, topics: dict[str, str], workspace: Workspace
) -> None:
    (roster,) = workspace.desks
    kept, free, *stay = (page.id for page in roster.pages)
    smaller = Workspace("hoa-sen", (replace(roster, pages=roster.pages[2:], rules=()),))
    async with _database(settings) as connection:
        await connection.executemany(REGISTERED, [(page,) for page in (kept, free)])
        await connection.execute(CONVERSATION, kept)
        told = "\n".join(plan_lines(await plan_workspace(settings, smaller)))
        assert f"! page {kept} stays reserved for its conversations" in told
        assert f"! page {free} has no conversations: it is given up" in told
        await _apply(settings, smaller, Desk(settings, topics))
        rows = await connection.fetch("SELECT page_id FROM page_registry")
        assert {page for (page,) in rows} == {kept, *stay}
        other = Workspace("hoa-hue", (type(roster)("main", (), (), roster.pages[:2], ()),))
        with pytest.raises(
            ReservationError, match=f"1 pages.*\n.*page {kept} is reserved by.*hoa-sen: it must"
        ):
            await plan_workspace(settings, other)


async def test_a_page_that_was_given_up_is_taken_again_by_the_desk_of_its_conversations_alone(
    settings: Settings, workspace: Workspace
) -> None:
    (roster,) = workspace.desks
    async with _database(settings) as connection:
        await connection.execute(CONVERSATION, PAGE)
        with pytest.raises(
            ReservationError, match=f"{PAGE} has conversations on the desk main of the workspace hoa-sen"
        ):
            await plan_workspace(settings, Workspace("hoa-hue", workspace.desks))
        with pytest.raises(ReservationError, match="that desk alone can have it again"):
            await plan_workspace(settings, Workspace("hoa-sen", (replace(roster, id="bac"),)))
        await plan_workspace(settings, workspace)


async def test_two_who_apply_at_once_do_not_give_up_each_others_pages(
    settings: Settings, workspace: Workspace
) -> None:
    plan = await plan_workspace(settings, workspace)
    async with _database(settings) as connection:
        await lock_pages(connection, "hoa-sen")
        with pytest.raises(TongdaiError, match="being changed by another command: repeat"):
            await apply_plan(settings, plan, SHORT_S)


async def test_a_refusal_is_told_and_leaves_no_page_reserved(
    settings: Settings, topics: dict[str, str], workspace: Workspace
) -> None:
    async with _database(settings) as connection:
        await connection.execute(
            REGISTERED, PAGE
        )  # by an apply that had no answer in time, and was refused then
    _, outcome = await _apply(settings, workspace, Desk(settings, topics, refuse="no, because"))
    assert isinstance(outcome.outcome, Refused)
    assert outcome.outcome.sentence == "no, because"
    async with _database(settings) as connection:
        assert await connection.fetchval("SELECT count(*) FROM page_registry") == 0


async def test_without_a_desk_the_command_waits_on_the_log(
    settings: Settings, topics: dict[str, str], workspace: Workspace
) -> None:
    plan = await plan_workspace(settings, workspace)
    (outcome,) = await apply_plan(settings, plan, SHORT_S)
    assert outcome.outcome is None
    assert outcome.sent.topic == topics["commands"]
    command = await Desk(settings, topics).answer_one()
    assert command.idempotency_key == outcome.sent.command.idempotency_key


async def test_missing_tables_and_topics_say_what_to_do(
    kafka_settings: Settings, settings: Settings, empty_database: str, workspace: Workspace
) -> None:
    servers = kafka_settings.kafka.bootstrap_servers
    with pytest.raises(asyncpg.UndefinedTableError) as raised:
        await plan_workspace(settings.with_servers(bootstrap_servers=servers, dsn=empty_database), workspace)
    assert "run tongdai migrate" in str(expected_error(raised.value))
    plan = await plan_workspace(settings, workspace)
    with pytest.raises(DependencyError, match="run tongdai topics apply first"):
        await apply_plan(settings, plan, SHORT_S)


async def test_a_dead_kafka_is_told_in_time(settings: Settings, workspace: Workspace) -> None:
    plan = await plan_workspace(settings, workspace)
    dsn = settings.postgres.dsn.get_secret_value()
    dead = settings.with_servers(bootstrap_servers="127.0.0.1:1", dsn=dsn)
    with pytest.raises(DependencyError, match="Nothing was sent"):
        await apply_plan(dead, plan, SHORT_S)
    with pytest.raises(DependencyError, match="TONGDAI_POSTGRES_DSN"):
        await plan_workspace(
            settings.with_servers(bootstrap_servers="127.0.0.1:1", dsn="postgresql://127.0.0.1:1/x"),
            workspace,
        )


async def test_what_leavers_give_up_is_told_beforehand(
    settings: Settings, topics: dict[str, str], workspace: Workspace
) -> None:
    await _apply(settings, workspace, Desk(settings, topics))
    (roster,) = workspace.desks
    first, second, *others = roster.agents
    async with _database(settings) as connection:
        for number, (agent, care, open_) in enumerate(
            [
                (first.id, "accepted", True),
                (first.id, "accepted", False),
                (first.id, "done", False),
                (second.id, "accepted", True),
                (others[0].id, "accepted", True),
            ]
        ):
            await connection.execute(
                "INSERT INTO desk_conversation (workspace_id, conversation_id, desk_id, key, page_id, seq,"
                " last_event_id, epoch, round, care, standing, holder, session, session_open, after_position)"
                " VALUES ('hoa-sen', gen_random_uuid(), 'main', $1, $2, 1, gen_random_uuid(), 1, 1, $3,"
                " 'held', $4, 1, $5, 1)",
                *(f"k{number}", PAGE, care, agent, open_),
            )
    away = second.model_copy(update={"on_leave": True})
    smaller = replace(
        roster, agents=(away, *others), policy=Policy(silent_after_s=60), rules=(), departments=(), pages=()
    )
    plan = await plan_workspace(settings, Workspace("hoa-sen", (smaller,)))
    assert plan.released["main"] == tuple(sorted([Held(first.id, 1, 2), Held(second.id, 1, 1)]))
    told = "\n".join(plan_lines(plan))
    assert f"! agent {first.id} gives up 2 conversations, 1 with an open session" in told
    (policy,) = [line for line in told.splitlines() if line.strip().startswith("~ policy")]
    assert "(what holds for the whole desk)" in policy
    assert "silent_after_s" in policy
