"""The tables and offsets that a clean history leads to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from checker.murmur2 import partition_of
from checker.record import Json, LogRecord
from checker.rows import (
    ConversationRow,
    CounterRow,
    DeliveryRow,
    DeskConversationRow,
    InboxRow,
    LaneRow,
    MessageRow,
    NotifierRow,
    SessionRow,
)
from checker.source import Committed
from tests.checker.planted import CONVERSATION_PARTITIONS, Planted

INPUTS = {
    "intake": ("assignments", "actions", "inbound"),
    "desk": ("commands",),
    "notifier": ("assignments", "messages", "receipts"),
    "delivery": ("outbound", "receipts"),
}
BATCH_NO = 7


def fill_tables(
    planted: Planted,
    chains: Mapping[str, Sequence[Json]],
    lines: Mapping[str, Sequence[Json]],
    reads: Mapping[tuple[str, str], int],
) -> None:
    """Add every row of every table to `planted`, by conversation key."""
    for key, of_it in lines.items():
        planted.tables[MessageRow] += [_message(line) for line in of_it]
        _conversation(planted, chains[key], of_it)
        _lists(planted, chains[key], of_it, {agent: to for (of, agent), to in reads.items() if of == key})
    planted.tables[MessageRow].sort(key=lambda row: (row.conversation, row.position))
    _lanes(planted)


def deliveries(planted: Planted) -> list[DeliveryRow]:
    """How answers stand, as was told last; mails have a table of their own."""
    told = {
        one["message"]: one for one in map(LogRecord.json, planted.topics["receipts"]) if "version" in one
    }
    sent = [record.json() for record in planted.topics["outbound"] if record.what("outbound") == "send"]
    return [_delivery(told[one["message"]]) for one in sent]


def _delivery(stands: Json) -> DeliveryRow:
    return DeliveryRow(
        stands["message"],
        stands["conversation"],
        stands["position"],
        stands["state"],
        stands.get("reason"),
        stands["parts"],
        stands["channel_message_ids"],
        stands["version"],
    )


def _message(line: Json) -> MessageRow:
    params = line.get("params")
    return MessageRow(
        line["workspace"],
        line["conversation"],
        line["position"],
        line["message"],
        line["session"],
        line["sender"],
        line.get("sender_id"),
        line["kind"],
        line.get("text"),
        None,
        line.get("code"),
        None if params is None else orjson.dumps(params).decode(),
        line["page"],
        line.get("channel_message_id"),
        None,
        clock_ahead=False,
        history=bool(line.get("history")),
        blocked=line.get("blocked", False),
        stored_at_ms=line["stored_at_ms"],
        seq=line["seq"],
    )


def _conversation(planted: Planted, chain: Sequence[Json], lines: Sequence[Json]) -> None:
    last = chain[-1]
    workspace, conversation = last["workspace"], last["conversation"]
    events = Counter((event["what"], event["session"]) for event in chain)
    open_ = not events["session_closed", last["session"]]
    planted.tables[ConversationRow].append(_intakes_row(last, len(lines), session_open=open_))
    planted.tables[DeskConversationRow].append(_desks_row(chain, session_open=open_))
    for session in range(1, last["session"] + 1):
        ended = events["session_closed", session] > 0
        planted.tables[SessionRow].append(SessionRow(workspace, conversation, session, ended))
    about = (last["seq"], last["epoch"], last["holder"])
    planted.tables[NotifierRow].append(NotifierRow(workspace, conversation, *about, len(lines)))


def followers(chain: Sequence[Json]) -> set[str]:
    """Who follows a conversation after its last event; nobody ever unfollows here."""
    named = {"assigned": "holder", "followed": "agent"}
    return {event[named[event["what"]]] for event in chain if event["what"] in named}


def _lists(planted: Planted, chain: Sequence[Json], lines: Sequence[Json], reads: Mapping[str, int]) -> None:
    last = chain[-1]
    unreads = {agent: _unread(chain, lines, agent, reads.get(agent, 0)) for agent in followers(chain)}
    for agent, unread in unreads.items():
        muted = any(event["what"] == "muted" and event["agent"] == agent for event in chain)
        about = last["workspace"], agent, last["conversation"]
        planted.tables[InboxRow].append(
            InboxRow(*about, agent == last["holder"], True, muted, last["epoch"], unread)
        )
    holder = last["holder"]
    in_session = [line["session"] for line in lines if line["sender"] == "customer"]
    unread = unreads[holder] if holder else in_session.count(in_session[-1])
    for place in ("held", f"agent:{holder}") if holder else ("unheld",):
        _count(planted, (last["workspace"], place, last["page"], _lane(last["key"])), unread)


def _unread(chain: Sequence[Json], lines: Sequence[Json], agent: str, read_to: int) -> int:
    for event in chain:
        if event["what"] == "assigned" and event["holder"] == agent:
            read_to = max(read_to, sum(line["session"] < event["session"] for line in lines))
        elif event["what"] == "followed" and event["agent"] == agent:
            read_to = max(read_to, event["after_position"])
    return sum(line["sender"] == "customer" and line["position"] > read_to for line in lines)


def _count(planted: Planted, name: tuple[str, str, str, int], unread: int) -> None:
    rows = planted.tables[CounterRow]
    for number, row in enumerate(rows):
        if row[:4] == name:
            rows[number] = CounterRow(*name, row.conversations + 1, row.unread + unread)
            return
    rows.append(CounterRow(*name, 1, unread))


def _intakes_row(last: Json, position: int, *, session_open: bool) -> ConversationRow:
    return ConversationRow(
        last["workspace"],
        last["conversation"],
        last["desk"],
        _lane(last["key"]),
        last["key"],
        last["page"],
        position,
        last["seq"],
        last["epoch"],
        last["standing"],
        last["holder"],
        route_unanswered=False,
        session=last["session"],
        session_open=session_open,
    )


def _desks_row(chain: Sequence[Json], *, session_open: bool) -> DeskConversationRow:
    last = chain[-1]
    waits = _last_of(chain, "queued", "offered") if session_open else {}
    opened = _last_of(chain, "session_opened") if session_open else {}
    given, closed = _last_of(chain, "assigned"), _last_of(chain, "session_closed")
    had_until = closed if closed.get("holder") else {}
    return DeskConversationRow(
        **{name: last[name] for name in _SAME},
        last_event_id=last["id"],
        session_open=session_open,
        rule=_rule(chain),
        queued_at=_ms(waits.get("queued_at", opened.get("at"))),
        queued_offset=waits.get("queued_offset", opened.get("cause", {}).get("offset")),
        priority=2,
        facts=None,
        reason=None,
        outcome=None,
        declined=[],
        audience=last["audience"] if last["standing"] == "offered" else None,
        ring=0,
        offer_expires_at=None,
        transfer=None,
        followers=sorted(followers(chain)),
        muted=sorted(event["agent"] for event in chain if event["what"] == "muted"),
        held_since=_ms(given.get("at")),
        taken_from=None,
        last_holder=had_until.get("holder"),
        last_held_at=_ms(had_until.get("at")),
        blocked=False,
        blocked_until=None,
        blocked_at=None,
        blocked_by=None,
        blocked_reason=None,
        silent=False,
        absent_until=None,
        quiet_until=None,
        orders="[]",
        admin_followers=[],
    )


def _rule(chain: Sequence[Json]) -> str | None:
    """By which it waits or is held in its open session."""
    rule = None
    for event in chain:
        if event["what"] in {"queued", "offered"}:
            rule = event["rule"]
        elif event["what"] == "assigned":
            rule = event["why"].get("rule") or rule
        elif event["what"] == "session_closed":
            rule = None
    return rule


_SAME = (
    *("workspace", "conversation", "desk", "key", "page", "seq", "epoch", "round", "care", "standing"),
    *("holder", "session", "after_position"),
)


def _last_of(chain: Sequence[Json], *kinds: str) -> Json:
    return next((event for event in reversed(chain) if event["what"] in kinds), {})


def _ms(moment: str | None) -> int | None:
    return None if moment is None else round(datetime.fromisoformat(moment).timestamp() * 1000)


def _lane(key: str) -> int:
    return partition_of(key.encode(), CONVERSATION_PARTITIONS)


def _lanes(planted: Planted) -> None:
    for kind, topics in INPUTS.items():
        ends = {topic: planted.ends(topic) for topic in topics}
        for lane in range(planted.partitions(topics[0])):
            offsets = {topic: ends[topic][lane] for topic in topics}
            planted.tables[LaneRow].append(
                LaneRow(kind, lane, BATCH_NO, orjson.dumps(offsets).decode(), None, None)
            )
            for topic, offset in offsets.items():
                planted.groups[kind][topic, lane] = Committed(offset, str(BATCH_NO))
