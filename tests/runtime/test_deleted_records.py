"""What was deleted before it was read is lost: the lane says so, and stands still."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from tests.runtime.bench_of_lanes import Lanes, all_copied, values
from tests.runtime.copier import Copier
from tests.waiting import eventually

pytestmark = pytest.mark.servers
LANE, OTHER = 1, 2


async def delete(lanes: Lanes, before: int) -> None:
    """As retention does, at the beginning of the lane's inbound."""
    admin = AIOKafkaAdminClient(**lanes.settings.kafka.client_options())
    await admin.start()
    try:
        partition = TopicPartition(lanes.topology.full_name("inbound"), LANE)
        await admin.delete_records({partition: RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()


async def test_a_lane_whose_unread_records_were_deleted_stops_and_says_so(lanes: Lanes) -> None:
    first = lanes.start(Copier())
    await lanes.produce(values(0, 20), partition=LANE)
    await all_copied(lanes, 20)
    await first.stop()
    await lanes.produce(values(20, 20), partition=LANE)
    await delete(lanes, before=30)

    running = lanes.start(Copier())
    await lanes.produce(values(40, 10), partition=OTHER)

    async def is_stopped() -> bool:
        return LANE in running.runtime.status.stopped

    await eventually(is_stopped, "the lane was stopped")
    assert "offset 20 of" in running.runtime.status.stopped[LANE]
    assert "is not in the log any more" in running.runtime.status.stopped[LANE]
    await all_copied(lanes, 30)  # the other lane goes on
    await running.stop()
