"""Every line of the log that is of a batch says of which one, and who is to blame where he lies."""

from __future__ import annotations

from typing import Any

import structlog
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from config.settings import Settings
from tests.runtime.test_patience import Bench, Slow
from workers.runtime.batch import Batch
from workers.runtime.lanes import Lane
from workers.runtime.loop import Loop
from workers.runtime.portions import Stored
from workers.runtime.protocol import Outcome


class Talker(Slow):
    """A handler that says something, and cannot bear one of the records."""

    async def handle(self, _: object, batch: Batch) -> None:
        structlog.get_logger().info("handled")
        if any(record.value == b"5" for record in batch.records):
            raise ValueError("not this one")


async def test_what_is_said_in_a_batch_tells_its_lanes_and_numbers() -> None:
    bench = Bench(Talker([]), [4, 4])
    with capture_logs(processors=[merge_contextvars]) as lines:
        await bench.run()
        structlog.get_logger().info("after")
    said = [line for line in lines if line["event"] == "handled"]
    assert said[0]["batches"] == {0: 1, 1: 1}
    assert {"kind": "intake", "lane": 0, "batch_no": 1}.items() <= said[1].items()
    [failed] = [line for line in lines if line["event"] == "handler_failed"]
    assert {"lane": 1, "batch_no": 2, "topic": "inbound", "offset": 1}.items() <= failed.items()
    assert lines[-1] == {"event": "after", "log_level": "info"}


async def test_what_is_said_while_a_batch_is_published_tells_it_too() -> None:
    class Term:
        id = "me"

        async def publish(self, *_: object) -> Outcome:
            structlog.get_logger().info("published")
            return Outcome.OK

    nothing: Any = None
    handler: Any = Slow([])
    term: Any = Term()
    loop = Loop(handler, nothing, nothing, nothing, Settings(), term, nothing, {}, {})
    lane = Lane(3, 7, {"inbound": 0}, 0, confirmed=6)
    loop.lanes.hold(lane)
    stored = Stored()
    stored.add(lane, [])
    with capture_logs(processors=[merge_contextvars]) as lines:
        await loop._publish(stored)
        await loop._confirm()
    assert {"kind": "intake", "lane": 3, "batch_no": 7}.items() <= lines[0].items()
    assert lane.confirmed == 7
