"""FastStream + asyncpg, a message at a time in sixteen workers.

At least once, and not in order: two messages of one customer may be at work in two workers, and what a
worker has in its hands when the process dies is lost, since its offset may have been committed.
"""

from __future__ import annotations

from faststream.kafka import KafkaMessage

from bench.peers import team_each
from bench.peers.faststream_app import WORKERS, TeamApp
from bench.peers.said import facts_of
from config.settings import Settings, load_settings
from schemas.inbound import Message


def make(settings: Settings) -> TeamApp:
    """The application with its one subscriber."""
    app = TeamApp(settings)

    @app.broker.subscriber(
        app.inbound,
        group_id=f"{settings.kafka.topic_prefix}.faststream",
        auto_offset_reset="earliest",
        max_workers=WORKERS,
    )
    async def on_message(said: Message, message: KafkaMessage) -> None:
        record = message.raw_message
        assert not isinstance(record, tuple)  # only a batch has several
        async with app.pool.acquire() as connection:
            facts = facts_of(said, record.timestamp, record.partition)
            letters = await team_each.store(connection, facts)
        await app.publish(letters)

    return app


if __name__ == "__main__":
    make(load_settings()).run()
