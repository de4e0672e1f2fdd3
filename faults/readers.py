"""Who reads along in a run: what anybody was shown at any time must be what is there in the end."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import orjson
from aiokafka import TopicPartition

from faults.ground import PREFIX, Ground
from faults.snapshots import Snapshots
from faults.tail import Tail
from faults.town import WORKSPACE

TOPICS = ("assignments", "messages")
END_S = 60.0
"""So long they may take to come to the end."""


class Readers:
    """One of topics and one of tables, from now on; what they were shown is a file that the checker reads."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self._file = (ground.folder / "readers.jsonl").open("ab")
        parts = {
            TopicPartition(f"{PREFIX}.{topic}.v1", number): topic
            for topic in TOPICS
            for number in range(ground.partitions[topic])
        }
        self._tail = Tail(ground.servers, parts, seed, self._note)
        self._reading = asyncio.create_task(self._tail.read())
        snapshots = Snapshots(ground.dsn, WORKSPACE, seed, self._note)
        self._looking = asyncio.create_task(snapshots.watch())

    async def finish(self) -> None:
        """Nothing more will come: let them read what is left, and go. Raises what ended one before."""
        self._tail.finish()
        with suppress(TimeoutError):  # the checker says what was not shown
            await asyncio.wait_for(self._reading, END_S)
        self._looking.cancel()
        with suppress(asyncio.CancelledError):
            await self._looking
        self._file.close()

    def _note(self, **line: object) -> None:
        self._file.write(orjson.dumps(line | {"at_ns": time.monotonic_ns()}) + b"\n")
        self._file.flush()
