"""What the bare pipeline writes: rows for COPY and events, straight from the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from uuid import uuid4

import orjson
from aiokafka import ConsumerRecord

from bench.peers import values
from bench.peers.rows import COLUMNS, Row, conversation_row, message_row, opening_rows, seen_row
from bench.peers.values import Facts, Letter
from bench.roster import AGENTS
from schemas.ids import page_of


class BareBatch:
    """One batch's rows and letters. Who is known and whose turn it is are only in memory."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.rows: dict[str, list[Row]] = {}
        self._positions: Counter[str] = Counter()
        self._turns = 0

    def fill(self, records: Iterable[ConsumerRecord]) -> None:
        """Make the rows and letters of these records, in place of those of the batch before."""
        self.letters = []
        self.rows = {table: [] for table in COLUMNS}
        for record in records:
            self._add(_facts(record))

    def _add(self, facts: Facts) -> None:
        conversation, message = facts.conversation, facts.message
        self._positions[facts.key] += 1
        position = self._positions[facts.key]
        if position == 1:
            agent, event = AGENTS[self._turns % len(AGENTS)], uuid4()
            self._turns += 1
            self.rows["conversation"].append(conversation_row(facts, conversation, 1, agent))
            for table, row in opening_rows(facts, conversation, agent, event).items():
                self.rows[table].append(row)
            self.letters.append(values.assigned(facts, conversation, agent, event))
        self.rows["message_seen"].append(seen_row(facts, conversation, message, position))
        self.rows["message"].append(message_row(facts, conversation, message, position))
        self.letters.append(values.stored(facts, conversation, message, position))


def _facts(record: ConsumerRecord) -> Facts:
    value = orjson.loads(record.value)
    key = record.key.decode()
    return Facts(
        key=key,
        page=page_of(key),
        channel=value["channel"],
        user=value["user"],
        name=value["customer_name"],
        text=value["text"],
        channel_message_id=value["channel_message_id"],
        sent_at_ms=value["sent_at_ms"],
        at_ms=record.timestamp,
        lane=record.partition,
    )
