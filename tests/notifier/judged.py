"""What the independent checker says of invented histories and of what the notifier made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checker.invariants.chain import ChainCheck
from checker.invariants.inboxes import check_counters, check_inboxes
from checker.invariants.messages import MessagesCheck
from checker.invariants.notices import NoticesCheck
from checker.invariants.page_notices import PageNoticesCheck
from checker.invariants.returns import ReturnsCheck
from checker.record import LogRecord
from checker.report import Tally
from checker.rows import CounterRow, InboxRow, NoticeRow
from tests.notifier.ground import record
from tests.notifier.history import History
from workers.runtime.batch import Event
from workers.runtime.handler import Connection

NOTICES = """
SELECT workspace_id, agent_id, notice_id::text, kind, conversation_id::text, seq, epoch, position, unread
FROM notice
"""
INBOX = """
SELECT workspace_id, agent_id, conversation_id::text, holds, follows, muted, epoch, unread FROM inbox
"""
# The histories' lanes are not those of Kafka's partitioner: here all are one.
COUNTERS = """
SELECT workspace_id, place, page_id, 0, sum(conversations)::int, sum(unread)::int
FROM inbox_counter GROUP BY workspace_id, place, page_id
"""


async def judge(
    connection: Connection, histories: Sequence[History], published: Sequence[Event]
) -> list[Tally]:
    """The checks of who was told what and of what agents see, each with its violations."""
    chains, messages = ChainCheck(), MessagesCheck()
    chains.walk(log(step for history in histories for step in map(_record, history.steps)))
    messages.walk(log(line for history in histories for line in map(_record, history.transcript)))
    returns = ReturnsCheck(chains.chains, messages.returns, 1)
    notices = NoticesCheck(chains.chains, messages.transcripts, frozenset(), returns, PageNoticesCheck())
    events = log((event.key, event.value, event.headers) for event in published)
    notices.walk(events, [NoticeRow(*row) for row in await connection.fetch(NOTICES)])
    inbox = [InboxRow(*row) for row in await connection.fetch(INBOX)]
    counters = [CounterRow(*row) for row in await connection.fetch(COUNTERS)]
    return [
        # Histories have no answers that could fail: those are in tests/notifier/test_failed_answers.py.
        *(tally for tally in notices.tallies if tally is not notices.failures),
        check_inboxes(chains.chains, messages.transcripts, inbox),
        check_counters(chains.chains, messages.transcripts, counters, 1),
    ]


Raw = tuple[bytes, bytes, Sequence[tuple[str, bytes]]]


def log(records: Iterable[Raw]) -> list[LogRecord]:
    """Records as they lie in one partition."""
    return [
        LogRecord(0, offset, 0, key, value, tuple(headers))
        for offset, (key, value, headers) in enumerate(records)
    ]


def _record(line: object) -> Raw:
    one = record(line, 0)  # type: ignore[arg-type]
    return one.key, one.value, one.headers
