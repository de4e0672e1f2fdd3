"""What is sent beside the stream: a run of poison, what was sent long ago, what comes in disorder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import asyncpg
import orjson

from checker.murmur2 import partition_of
from faults.scene import Scene
from faults.stream import Planned, Stream
from faults.town import PAGES
from schemas.base import TEXT_CHARS_MAX

RUN = 1_000
"""Poison in a row: more than a batch of the slowest worker."""
REPLAYED = 1_000
DISORDERED = 500
LARGE_BYTES = 1_000_000
DEEP = 100_000
LONG, TALKERS = 500, 20
"""So many messages as long as one may be, of so many customers: workers need more memory for them."""
_AGE = "UPDATE message_seen SET stored_at = stored_at - interval '1 day'"


@dataclass(frozen=True)
class Load:
    """What comes beside the stream."""

    scene: Scene

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Each by its name."""
        return {"poison": self.poison, "replay": self.replay, "disorder": self.disorder}

    async def poison(self) -> None:
        """Readable records with unreadable ones before, between and behind them, and a run of those alone."""
        refused = await self.scene.refused()
        good = list(islice(self._stream(self._beside), 3))
        mixed = [record for each in good for record in (*self._poisonous(), each)]
        await self.scene.sender.send([*mixed, *self._poisonous()])
        run = [
            self._record(f"run-{number}", value=b"{", user="poisoned", partition=0) for number in range(RUN)
        ]
        await self.scene.sender.send(run)
        records = len(mixed) + len(self._poisonous()) + len(run) - len(good)
        read, refused = await self.scene.read(), await self.scene.refused() - refused
        self.scene.note("poison", hit=read and refused >= records, records=records, refused=refused)

    async def replay(self) -> None:
        """After a day, and a restart: what was sent first comes again, each second record misplaced."""
        count = min(REPLAYED, sum(self.scene.sender.kinds.values()))
        connection = await asyncpg.connect(self.scene.ground.dsn)
        try:
            aged = int((await connection.execute(_AGE)).split()[-1])
        finally:
            await connection.close()
        for worker in self.scene.ground.fleet.of("routing"):
            await self.scene.ground.fleet.stop(worker)
            worker.start()
        first = [
            record for record in islice(self._stream(self.scene.seed), count) if record.kind == "message"
        ]
        await self.scene.sender.send(
            [self._misplaced(record) if number % 2 else record for number, record in enumerate(first)]
        )
        hit = await self.scene.read() and len(first) > 0 and aged > 0
        self.scene.note("replay", hit=hit, records=len(first), aged=aged)

    async def disorder(self) -> None:
        """Records of other customers backwards, whose ids other messages have had, or will have."""
        records = [
            record for record in islice(self._stream(self._beside), DISORDERED) if record.kind == "message"
        ]
        await self.scene.sender.send(records[::-1])
        changed = [self._changed(record) for record in records]
        await self.scene.sender.send(changed)
        hit = await self.scene.read()
        self.scene.note("disorder", hit=hit, records=len(records), changed=len(changed))

    @property
    def _beside(self) -> int:
        """The seed of records that are not of this run's stream."""
        return self.scene.seed + 1_000_000

    def _stream(self, seed: int) -> Stream:
        return Stream(seed, self.scene.ground.partitions["inbound"])

    def _misplaced(self, record: Planned) -> Planned:
        partitions = self.scene.ground.partitions["inbound"]
        right = partition_of(record.key.encode(), partitions)
        return record._replace(kind="misplaced", partition=(right + 1) % partitions)

    def _changed(self, record: Planned) -> Planned:
        """The same id with another text."""
        value = orjson.loads(record.value) | {"text": "another text"}
        return record._replace(kind="changed", id=f"{record.id}-changed", value=orjson.dumps(value))

    def _poisonous(self) -> Sequence[Planned]:
        """One of each, of one customer."""
        return [
            self._record("broken", value=b'{"channel": "messenger", '),
            self._record("empty", value=b""),
            self._record("no-key", keyed=False, partition=0),
            self._record("large", text="x" * LARGE_BYTES),
            self._record("nul", text="a\x00b"),
            self._record("deep", value=b"[" * DEEP + b"]" * DEEP),
            self._record("unheard", ce_type="tongdai.inbound.unheard.v1"),
            self._record("version", ce_type="tongdai.inbound.message.v9"),
            self._record("surrogate", value=b'{"text": "\\ud800"}'),
            self._record("bytes", value=b"\xff\xfe\x00"),
            self._record("soon", sent_at_ms="soon"),
        ]

    def _record(
        self,
        id_: str,
        *,
        user: str = "poisonous",
        value: bytes | None = None,
        ce_type: str = "tongdai.inbound.message.v1",
        partition: int | None = None,
        keyed: bool = True,
        **fields: object,
    ) -> Planned:
        page = PAGES[0]
        channel, account = page.split(":")
        who = {"channel": channel, "account": account, "user": user, "channel_message_id": id_}
        said = {**who, "sent_at_ms": 1_795_000_000_000, "text": "?", **fields}
        value = orjson.dumps(said) if value is None else value
        key = f"{page}:{user}" if keyed else ""
        return Planned("unreadable", key, f"poison-{id_}", value, ce_type, partition)


def large(beside: int) -> Sequence[Planned]:
    """Messages as long as they may be; with another number they are other ones."""
    page, text = PAGES[0], "x" * TEXT_CHARS_MAX
    channel, account = page.split(":")
    found = []
    for number in range(LONG):
        id_, user = f"large-{beside}-{number}", f"talker-{number % TALKERS}"
        who = {"channel": channel, "account": account, "user": user, "channel_message_id": id_}
        value = orjson.dumps({**who, "sent_at_ms": 1_795_000_000_000, "text": text})
        found.append(Planned("message", f"{page}:{user}", id_, value, "tongdai.inbound.message.v1"))
    return found
