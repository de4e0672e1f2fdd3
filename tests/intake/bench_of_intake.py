"""How fast the intake handler is alone, on a real Postgres: `python -m tests.intake.bench_of_intake DSN`.

Batches of 2,000 messages over 12 lanes, one new conversation in ten messages, each conversation's
assignment events coming back one batch later, as from a desk.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import random
import time
from collections.abc import Iterator

import asyncpg
import orjson

from schemas.envelope import Kind, moment
from schemas.ids import conversation_id
from tests.intake.log import EXTRA, WORKSPACE, ce_headers
from workers.migrations import migrate
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch, Record
from workers.runtime.topology import Topology

LANES = 12
BATCH_RECORDS = 2_000
BEGIN_MS = 1_763_800_000_000
_MESSAGE = ce_headers("tongdai.inbound.message.v1")
TEXT = "Chào shop, mình muốn hỏi giá chiếc áo khoác màu xanh trong bài đăng hôm qua ạ."


class Traffic:
    """Customers who write in turn; a new one with every tenth message."""

    def __init__(self, seed: int, active: int) -> None:
        self._random = random.Random(seed)
        self._topology = Topology("", {"inbound": LANES})
        self._active = active
        self._users: list[str] = []
        self._count = 0
        self._offsets = [0] * LANES
        self._answers: list[Record] = []
        self._prefix = f"{self._random.randrange(10**12):012}"

    def batches(self, count: int) -> Iterator[Batch]:
        """This many batches, one after the other."""
        for number in range(count):
            at_ms = BEGIN_MS + number * 150
            answers, self._answers = self._answers, []
            inbound = [self._message(at_ms + index // 20) for index in range(BATCH_RECORDS)]
            records = [*sorted(answers, key=_order), *sorted(inbound, key=_order)]
            yield Batch("intake", records, [record.timestamp_ms for record in records])

    def _message(self, at_ms: int) -> Record:
        new = self._count % 10 == 0
        self._count += 1
        if new:
            self._users.append(f"{self._prefix}{self._count:012}")
        user = self._users[-1] if new else self._random.choice(self._users[-self._active :])
        page = f"messenger:{100 + int(user) % 3}"
        key = f"{page}:{user}"
        value = {
            "channel": "messenger",
            "account": page.partition(":")[2],
            "user": user,
            "channel_message_id": f"m_{self._prefix}{self._count}",
            "sent_at_ms": at_ms - 200,
            "text": TEXT,
            "customer_name": "Nguyễn Thị Lan",
            "raw": {
                "sender": {"id": user},
                "recipient": {"id": "100"},
                "timestamp": at_ms - 200,
                "message": {"mid": f"m_{self._count}", "text": TEXT},
            },
        }
        lane = self._topology.partition("inbound", key.encode())
        if new:
            self._answers.append(self._answer(key, page, lane, 1, "session_opened", at_ms))
            self._answers.append(self._answer(key, page, lane, 2, "assigned", at_ms))
        return self._record("inbound", lane, at_ms, key, orjson.dumps(value), _MESSAGE)

    def _answer(self, key: str, page: str, lane: int, seq: int, what: str, at_ms: int) -> Record:
        value = {
            "workspace": WORKSPACE,
            "desk": "main",
            "conversation": conversation_id(key),
            "key": key,
            "page": page,
            "seq": seq,
            "previous": None,
            "epoch": 0,
            "round": 1,
            "session": 1,
            "after_position": 1,
            "at": moment(at_ms),
            "standing": "idle",
            "holder": None,
            "care": "new",
            "cause": {"topic": "commands", "partition": 0, "offset": seq},
            **EXTRA[what],
        }
        headers = ce_headers(Kind("assignments", what).ce_type)
        return self._record("assignments", lane, at_ms, key, orjson.dumps(value), headers)

    def _record(
        self, topic: str, lane: int, at_ms: int, key: str, value: bytes, headers: list[tuple[str, bytes]]
    ) -> Record:
        self._offsets[lane] += 1
        return Record(topic, lane, self._offsets[lane], at_ms, key.encode(), value, headers)


def _order(record: Record) -> tuple[int, int]:
    return record.lane, record.offset


async def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dsn")
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--active", type=int, default=1_000)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    migrate(arguments.dsn)
    connection = await asyncpg.connect(arguments.dsn)
    await connection.executemany(
        "INSERT INTO page_registry VALUES ($1, 'acme', 'main') ON CONFLICT DO NOTHING",
        [(f"messenger:{100 + page}",) for page in range(3)],
    )
    handler = IntakeHandler(LANES)
    profile = cProfile.Profile()
    wall_s, cpu_s = [], []
    for batch in list(Traffic(time.time_ns(), arguments.active).batches(arguments.batches)):
        if arguments.profile:
            profile.enable()
        begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
        async with connection.transaction():
            await handler.handle(connection, batch)
        wall_s.append(time.perf_counter() - begun_s)
        cpu_s.append(time.process_time() - begun_cpu_s)
        profile.disable()
    for name, spent in (("wall", wall_s[2:]), ("python", cpu_s[2:])):
        told = ", ".join(
            f"{which} {sorted(spent)[len(spent) * percent // 100] / BATCH_RECORDS * 1e6:.1f}"
            for which, percent in (("p10", 10), ("median", 50))
        )
        print(f"{name}: {told} us a message")  # noqa: T201
    if arguments.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
