"""Applies a workspace: compares, reserves, sends one command per desk that changes, waits for outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from aiokafka.errors import KafkaError

from config.errors import DependencyError
from config.settings import Settings
from schemas.outcomes import Done, Refused
from workers.routing.desk.preview import Held, held_by
from workers.routing.desk.roster_version import read_roster_version
from workers.runtime.postgres import connected
from workers.workspace.command_writer import Sent, configure_command, send
from workers.workspace.difference import DeskChange, changes_of
from workers.workspace.outcome_reader import OutcomeReader
from workers.workspace.present import present_desks, present_roster
from workers.workspace.registry import reserve
from workers.workspace.release import LeftOut, left_out, lock_pages, release, release_unused
from workers.workspace.workspace import Workspace

OUTCOME_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Plan:
    """What would change; desks of the workspace that its file does not name are left alone."""

    workspace: Workspace
    desks: tuple[DeskChange, ...]
    left_alone: tuple[str, ...]
    released: Mapping[str, tuple[Held, ...]]
    """By desk: what those give up who would leave."""
    left_out: tuple[LeftOut, ...]
    """Pages that the named desks have reserved and the file does not name."""
    versions: Mapping[str, int]
    """By desk: the version of the roster that was compared."""

    @property
    def changing(self) -> tuple[DeskChange, ...]:
        """The desks on which anything changes."""
        return tuple(desk for desk in self.desks if desk.changes)


@dataclass(frozen=True)
class DeskOutcome:
    """What became of one desk's command; `outcome` none: not known before the deadline."""

    sent: Sent
    outcome: Done | Refused | None


async def plan_workspace(settings: Settings, workspace: Workspace) -> Plan:
    """Return what applying `workspace` would change; changes nothing.

    Raises ReservationError when a page is not to be had, DependencyError when Postgres does not answer.
    """
    async with connected(settings, "tongdai apply") as connection:
        present = await present_desks(connection, workspace.id)
        # Before the rosters: what changes in between is told by the desk, and not overwritten.
        versions = {
            desk.id: await read_roster_version(connection, workspace.id, desk.id) for desk in workspace.desks
        }
        desks = [
            changes_of(await present_roster(connection, workspace.id, desk.id), desk)
            for desk in workspace.desks
        ]
        released = {
            desk.roster.id: await held_by(connection, workspace.id, desk.roster.id, desk.leaving)
            for desk in desks
        }
        trial = connection.transaction()
        await trial.start()
        try:
            await reserve(connection, workspace)
        finally:
            await trial.rollback()
        named = [desk.id for desk in workspace.desks]
        pages = [page.id for desk in workspace.desks for page in desk.pages]
        leaving = await left_out(connection, workspace.id, named, pages)
    left_alone = tuple(desk for desk in present if desk not in named)
    return Plan(workspace, tuple(desks), left_alone, released, leaving, versions)


async def apply_plan(
    settings: Settings, plan: Plan, timeout_s: float = OUTCOME_TIMEOUT_S
) -> tuple[DeskOutcome, ...]:
    """Reserve, send and wait at most `timeout_s` for the outcomes; without changes, only reserve.

    Pages that a desk does not have once it has decided, and that have no conversations, are given up.
    Raises ReservationError, DependencyError, or TongdaiError for a roster too large for one command, or while
    another command is at it.
    """
    actor = f"cli:{uuid4()}"
    commands = [
        configure_command(plan.workspace.id, desk.roster, actor, plan.versions[desk.roster.id])
        for desk in plan.changing
    ]
    async with connected(settings, "tongdai apply") as connection:
        await lock_pages(connection, plan.workspace.id)
        async with connection.transaction():
            reservation = await reserve(connection, plan.workspace)
        if not commands:
            return ()
        async with _outcome_reader(settings, actor) as reader:
            sent = await send(settings, commands)
            await _wait(reader, {command.idempotency_key for command in commands}, timeout_s)
            outcomes = [DeskOutcome(one, reader.found.get(one.command.idempotency_key)) for one in sent]
        refused = {one.sent.command.desk for one in outcomes if isinstance(one.outcome, Refused)}
        given_back = [page for page, desk in reservation.pages.items() if desk in refused]
        await release(connection, plan.workspace.id, given_back)
        decided = [one.sent.command.desk for one in outcomes if one.outcome is not None]
        await release_unused(connection, plan.workspace.id, decided)
    return tuple(outcomes)


async def _wait(reader: OutcomeReader, keys: set[str], timeout_s: float) -> None:
    """Wait for every outcome until the time is over; a missing one is told by its absence."""
    try:
        async with asyncio.timeout(timeout_s):
            await reader.wait_for(keys)
    except TimeoutError:
        return


@asynccontextmanager
async def _outcome_reader(settings: Settings, actor: str) -> AsyncIterator[OutcomeReader]:
    reader = OutcomeReader(settings, actor)
    try:
        await _start(reader, settings)
        yield reader
    finally:
        await reader.stop()


async def _start(reader: OutcomeReader, settings: Settings) -> None:
    try:
        async with asyncio.timeout(settings.runtime.kafka_deadline_s):
            await reader.start()
    except (KafkaError, TimeoutError) as error:
        raise DependencyError(
            f"Kafka at {settings.kafka.bootstrap_servers} does not answer ({error or 'time is over'}): "
            "check that it runs and TONGDAI_KAFKA_BOOTSTRAP_SERVERS is right. Nothing was sent."
        ) from error
