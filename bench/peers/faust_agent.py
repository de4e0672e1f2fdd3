"""A Faust agent + asyncpg: a message at a time, in order.

At least once: the offset is committed some seconds later, and a crash between Postgres and Kafka loses the
events of a message that is seen as stored.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import faust

from bench.peers import team_each
from bench.peers.said import facts_of
from config.settings import Settings, load_settings
from config.topics import ASSIGNMENTS, CATALOGUE, INBOUND
from schemas.inbound import Message


def make(settings: Settings, data_dir: Path) -> faust.App:
    """The application with its one agent."""
    prefix = settings.kafka.topic_prefix
    app = faust.App(
        f"{prefix}-faust",
        broker=[f"kafka://{server}" for server in settings.kafka.bootstrap_servers.split(",")],
        datadir=str(data_dir),
        topic_partitions=ASSIGNMENTS.partitions(settings.kafka),
        topic_allow_declare=False,
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
    )
    topics = {
        topic.name: app.topic(topic.full_name(prefix), key_type=bytes, value_type=bytes)
        for topic in CATALOGUE
    }

    @app.agent(topics[INBOUND.name])
    async def route(stream: Any) -> None:  # noqa: ANN401  Faust has no types
        async with asyncpg.create_pool(settings.postgres.dsn.get_secret_value()) as pool:
            async for event in stream.events():
                said = Message.model_validate_json(event.value)
                at_ms = round(event.message.timestamp * 1000)
                facts = facts_of(said, at_ms, event.message.partition)
                async with pool.acquire() as connection:
                    letters = await team_each.store(connection, facts)
                for letter in letters:
                    await topics[letter.topic].send(
                        key=letter.key, value=letter.value, headers=dict(letter.headers)
                    )

    return app


if __name__ == "__main__":
    with TemporaryDirectory(prefix="tongdai-bench-faust-") as folder:
        make(load_settings(), Path(folder)).main()
