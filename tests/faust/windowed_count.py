"""A Faust program of the kind that reports will use: who was given how many conversations in each minute.

`python windowed_count.py PREFIX SERVERS PARTITIONS FOLDER worker …`. After each event it prints the counts of
that event's minute as one line of JSON.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import faust
import orjson

WINDOW = timedelta(minutes=1)
KEPT = timedelta(hours=1)


def make(prefix: str, servers: str, partitions: int, folder: str) -> faust.App:
    """The application: regroup by holder, count in a tumbling window."""
    app = faust.App(
        f"{prefix}-counts",
        broker=f"kafka://{servers}",
        datadir=folder,
        topic_partitions=partitions,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
    )
    assignments = app.topic(f"{prefix}.assignments.v1", key_type=bytes, value_serializer="json")
    by_holder = app.topic(f"{prefix}-counts-by-holder", value_serializer="json", partitions=partitions)
    counts = app.Table("counts", default=int, partitions=partitions).tumbling(WINDOW, expires=KEPT)
    seen: set[str] = set()

    @app.agent(assignments)
    async def count(stream: Any) -> None:  # noqa: ANN401  Faust has no types
        held = stream.filter(lambda event: event["holder"] is not None)
        async for event in held.group_by(lambda event: event["holder"], name="holder", topic=by_holder):
            counts[event["holder"]] += 1
            seen.add(event["holder"])
            now = {agent: counts[agent].current() for agent in sorted(seen)}
            # Faust has made sys.stdout a logger.
            print(orjson.dumps(now).decode(), file=sys.__stdout__, flush=True)

    return app


if __name__ == "__main__":
    prefix, servers, partitions, folder = sys.argv[1:5]
    sys.argv[1:5] = []
    make(prefix, servers, int(partitions), folder).main()
