"""FastStream + asyncpg with `batch=True`: one transaction a batch.

At least once: a crash between Postgres and Kafka loses the events of a batch that is seen as stored.
"""

from __future__ import annotations

from faststream.kafka import KafkaMessage

from bench.peers import team_batch
from bench.peers.faststream_app import TeamApp
from bench.peers.said import facts_of
from config.settings import Settings, load_settings
from schemas.inbound import Message

BATCH_RECORDS = 2_000


def make(settings: Settings) -> TeamApp:
    """The application with its one subscriber."""
    app = TeamApp(settings)

    @app.broker.subscriber(
        app.inbound,
        group_id=f"{settings.kafka.topic_prefix}.faststream-batch",
        auto_offset_reset="earliest",
        batch=True,
        max_records=BATCH_RECORDS,
    )
    async def on_batch(said: list[Message], message: KafkaMessage) -> None:
        records = message.raw_message
        facts = [
            facts_of(one, record.timestamp, record.partition)
            for one, record in zip(said, records, strict=True)
        ]
        async with app.pool.acquire() as connection:
            letters = await team_batch.store(connection, facts)
        await app.publish(letters)

    return app


if __name__ == "__main__":
    make(load_settings()).run()
