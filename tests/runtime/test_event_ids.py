"""What a running lane publishes has ids computed from where its cause is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from config.settings import Settings
from schemas.ids import event_id_text
from tests.runtime.bench_of_lanes import Lanes, lanes_of
from tests.runtime.copier import CREATE, Copier

pytestmark = pytest.mark.servers


@pytest.fixture
async def lanes(settings: Settings, topics: dict[str, str]) -> AsyncIterator[Lanes]:
    async with lanes_of(settings, CREATE) as made:
        yield made


async def test_the_id_of_a_published_event_is_computed_from_kafkas_id_of_the_input(lanes: Lanes) -> None:
    log = lanes.topology.ids["inbound"]
    assert UUID(log).int != 0
    await lanes.produce([b"one", b"two"], partition=1)
    running = lanes.start(Copier())
    await lanes.readable(2)
    await running.stop()
    ids = {headers["ce_id"].decode() for _, headers in await lanes.published()}
    assert ids == {event_id_text(log, 1, offset, "intake", 0) for offset in (0, 1)}
