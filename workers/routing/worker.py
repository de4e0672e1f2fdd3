"""The routing worker: intake and desk, two runtimes in one process."""

from __future__ import annotations

from collections.abc import Sequence

from config.settings import Settings
from workers.routing.desk.handler import DeskHandler
from workers.routing.intake.erasing import erasing_chore
from workers.routing.intake.forgetting import forgetting_chore
from workers.routing.intake.handler import IntakeHandler
from workers.routing.intake.outcome_rows import outcomes_chore
from workers.routing.intake.partitions import partitions_chore
from workers.runtime.handler import Handler
from workers.runtime.topology import Topology
from workers.runtime.upkeep import Chore


def routing_handlers(topology: Topology, settings: Settings) -> Sequence[Handler]:
    """Each has its own group, term and producers, so that fencing one never fences the other."""
    intake = IntakeHandler(topology.lanes(IntakeHandler.inputs), silence_s=settings.routing.session_silence_s)
    return [intake, DeskHandler(topology.lanes(DeskHandler.inputs))]


def routing_chores() -> Sequence[Chore]:
    """What intake's tables need now and then."""
    return [partitions_chore(), forgetting_chore(), outcomes_chore(), erasing_chore()]
