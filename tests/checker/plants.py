"""A clean history, and one fault for each check with the title of the check that must catch it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import orjson

from checker.invariants.deliveries import ARRIVED
from checker.murmur2 import partition_of
from checker.rows import (
    ConversationRow,
    CounterRow,
    DefinitionRow,
    DeliveryRow,
    DeskConversationRow,
    HeldRow,
    InboxRow,
    LaneRow,
    MessageRow,
    NoticeRow,
    NotifierRow,
    PendingRow,
    SessionRow,
)
from checker.source import Committed
from tests.checker.planted import Planted
from tests.checker.story import Story

Fault = Callable[[Planted], object]


def clean() -> Planted:
    """Six places for eight customers, duplicates, refusals, a misplaced record, a session that ends."""
    return _clean().copy()


@cache
def _clean() -> Planted:
    story = Story()
    story.configure()
    for number in range(8):
        story.write(f"u{number}", copies=1 + number % 2)
    story.write("u0")
    story.write("u7")
    story.refuse("u1", b"{")
    story.refuse("u2", orjson.dumps(story.said("u2", "") | {"text": 7}))
    story.refuse("u3", orjson.dumps(story.said("u3", "m")), what="unheard")
    story.misplace("u4")
    story.end("u0")
    story.write("u0")
    story.end("u5")
    for number in range(8, 11):
        story.write(f"u{number}")
    story.colleagues("u1")
    story.tickets("u1")
    story.offer("u8")
    story.end("u1")
    story.write("u1")
    return story.told()


def drop_row(kind: type, number: int = 0) -> Fault:
    """A row is gone."""
    return lambda planted: planted.tables[kind].pop(number)


def drop_record(topic: str, number: int = 0) -> Fault:
    """A record was never published."""
    return lambda planted: planted.topics[topic].pop(number)


def change_row(kind: type, number: int, **fields: object) -> Fault:
    """A row holds something else."""
    return lambda planted: planted.change_row(kind, number, **fields)


def change(topic: str, number: int, **fields: object) -> Fault:
    """A record says something else."""
    return lambda planted: planted.change(topic, number, **fields)


def repeat(topic: str, number: int = 0) -> Fault:
    """A record is published twice."""

    def plant(planted: Planted) -> None:
        record = planted.topics[topic][number]
        planted.topics[topic].append(record._replace(offset=planted.ends(topic)[record.partition]))

    return plant


def change_event(what: str, **fields: object) -> Fault:
    """The first assignments event of this kind says something else."""

    def plant(planted: Planted) -> None:
        kinds = [record.what("assignments") for record in planted.topics["assignments"]]
        planted.change("assignments", kinds.index(what), **fields)

    return plant


def rename_event(what: str, other: str) -> Fault:
    """The first assignments event of this kind is of another."""

    def plant(planted: Planted) -> None:
        records = planted.topics["assignments"]
        number = [record.what("assignments") for record in records].index(what)
        type_ = ("ce_type", f"tongdai.assignments.{other}.v1".encode())
        headers = tuple(pair for pair in records[number].headers if pair[0] != "ce_type")
        records[number] = records[number]._replace(headers=(*headers, type_))

    return plant


def drop_notice(what: str, *, last: bool = False) -> Fault:
    """The first, or the last, notice of this kind was never published."""
    return lambda planted: planted.topics["notifications"].pop(_notices(planted, what)[-1 if last else 0])


def repeat_notice(what: str) -> Fault:
    """The first notice of this kind is published twice."""
    return lambda planted: repeat("notifications", _first_notice(planted, what))(planted)


def lose_notices(what: str) -> Fault:
    """No notice of this kind was ever published, though the notifier had followed the chains."""

    def plant(planted: Planted) -> None:
        records = planted.topics["notifications"]
        told = next(record for record in records if record.what("notifications") == what).json()["key"]
        for number in reversed(_notices(planted, what)):
            records.pop(number)
        ends = (planted.ends(topic)[partition_of(told.encode(), 4)] for topic in ("assignments", "messages"))
        trail = ",".join(map(str, (next(ends), planted.topics["messages"][_returned(planted)].offset, 0)))
        about = next(number for number, record in enumerate(records) if record.json()["key"] == told)
        header = ("read_to", trail.encode())
        records[about] = records[about]._replace(headers=(*records[about].headers, header))

    return plant


def change_notice(what: str, **fields: object) -> Fault:
    """The first notice of this kind says something else."""
    return lambda planted: planted.change("notifications", _first_notice(planted, what), **fields)


def lose_return(planted: Planted) -> None:
    """A customer came back, and nobody was told."""
    planted.topics["messages"].pop(_returned(planted))


def repeat_return(planted: Planted) -> None:
    """A customer came back once, which is told twice."""
    repeat("messages", _returned(planted))(planted)


def _paused(planted: Planted) -> int:
    """The record by which a page is paused."""
    kinds = [record.what("receipts") for record in planted.topics["receipts"]]
    return kinds.index("page_stands")


def repeat_pause(planted: Planted) -> None:
    """A page was paused once, which is told twice."""
    repeat("receipts", _paused(planted))(planted)


def _told(planted: Planted, state: str) -> int:
    """The last record that tells that an answer stands so."""
    kinds = [record.what("receipts") for record in planted.topics["receipts"]]
    states = [record.json().get("state") for record in planted.topics["receipts"]]
    found = [n for n, pair in enumerate(zip(kinds, states, strict=True)) if pair == ("delivery", state)]
    return found[-1]


def change_told(state: str, /, **fields: object) -> Fault:
    """How an answer stands is told otherwise."""
    if state in {"queued", "sent"}:  # the last one is a mail's
        return lambda planted: planted.change("receipts", _of_answer(planted, state), **fields)
    return lambda planted: planted.change("receipts", _told(planted, state), **fields)


def _of_answer(planted: Planted, state: str) -> int:
    records = [record.json() for record in planted.topics["receipts"]]
    read = next(one["message"] for one in records if one.get("state") == "read" and "version" in one)
    return next(n for n, one in enumerate(records) if one.get("message") == read and one["state"] == state)


def lose_told(*states: str) -> Fault:
    """How the answer that came to the last of these states stands is not told in any of them."""

    def plant(planted: Planted) -> None:
        message = planted.topics["receipts"][_told(planted, states[-1])].json()["message"]
        planted.topics["receipts"] = [
            record
            for record in planted.topics["receipts"]
            if (record.json().get("message"), record.json().get("state") in states) != (message, True)
        ]

    return plant


def lose_mail(planted: Planted) -> None:
    """Nothing is told of a mail."""
    kinds = [record.what("outbound") for record in planted.topics["outbound"]]
    mail = planted.topics["outbound"][kinds.index("mail")].json()["message"]
    planted.topics["receipts"] = [
        record for record in planted.topics["receipts"] if record.json().get("message") != mail
    ]


def lose_arrival(state: str) -> Fault:
    """The channel never said so, nor anything of what comes after."""

    def plant(planted: Planted) -> None:
        planted.topics["receipts"] = [
            record
            for record in planted.topics["receipts"]
            if record.what("receipts") != "arrival"
            or ARRIVED.index(record.json()["state"]) < ARRIVED.index(state)
        ]

    return plant


def _returned(planted: Planted) -> int:
    kinds = [record.what("messages") for record in planted.topics["messages"]]
    return kinds.index("returned")


def swap_messages(planted: Planted) -> None:
    """Two messages of one customer changed their places in the transcript."""
    rows = planted.tables[MessageRow]
    first, second = (
        number
        for number, row in enumerate(rows)
        if row.channel_message_id in {"m1", "m9"}  # u0's first and second
    )
    ours, theirs = rows[first], rows[second]
    rows[first] = theirs._replace(position=ours.position)
    rows[second] = ours._replace(position=theirs.position)


def store_twice(planted: Planted) -> None:
    """A duplicate was stored as another line."""
    rows = planted.tables[MessageRow]
    last = max(number for number, row in enumerate(rows) if row.conversation == rows[0].conversation)
    rows.insert(last + 1, rows[0]._replace(position=rows[last].position + 1))


def refuse_readable_of(number: int) -> Fault:
    """A letter names this readable record."""
    return lambda planted: refuse_readable(planted, number)


def refuse_readable(planted: Planted, number: int = 0) -> None:
    """A letter names a readable record."""
    letter, readable = planted.topics["deadletter"][0], planted.topics["inbound"][number]
    headers = dict(letter.headers) | {
        "deadletter_partition": str(readable.partition).encode(),
        "deadletter_offset": str(readable.offset).encode(),
    }
    planted.topics["deadletter"].append(
        letter._replace(offset=99, key=readable.key, value=readable.value, headers=tuple(headers.items()))
    )


def head(topic: str, name: str, value: str, number: int = 0) -> Fault:
    """A record has another header of this name."""

    def plant(planted: Planted) -> None:
        record = planted.topics[topic][number]
        kept = tuple(pair for pair in record.headers if pair[0] != name)
        planted.topics[topic][number] = record._replace(headers=(*kept, (name, value.encode())))

    return plant


def misplace(topic: str) -> Fault:
    """The first record lies in another partition than its key's."""

    def plant(planted: Planted) -> None:
        record = planted.topics[topic][0]
        partition = (record.partition + 1) % planted.partitions(topic)
        planted.topics[topic][0] = record._replace(partition=partition)

    return plant


def leave_misplaced(planted: Planted) -> None:
    """A message came in a wrong partition only."""
    last = planted.topics["inbound"][-1]
    key = (last.key or b"").decode()
    value = last.json() | {"channel_message_id": "left"}
    planted.append("inbound", key, "message", value, 2_000_000, partition=(last.partition + 1) % 4, ce_id="l")


def give_turns(agent: str, count: int) -> Fault:
    """So many of the first turns went to one agent."""

    def plant(planted: Planted) -> None:
        for number in range(count):
            give_to(agent, number)(planted)

    return plant


def swap_notices(planted: Planted) -> None:
    """An agent is told of two messages of a conversation, the later one first."""
    records = planted.topics["notifications"]
    told = [(record.key, record.json()["key"]) for record in records]
    messages = _notices(planted, "message")
    first, second = next(
        (one, other) for one in messages for other in messages if one < other and told[one] == told[other]
    )
    ours, theirs = records[first], records[second]
    records[first] = theirs._replace(offset=ours.offset)
    records[second] = ours._replace(offset=theirs.offset)


def rekey_notice(planted: Planted) -> None:
    """A notice goes to another agent than it names."""
    number = _first_notice(planted, "assigned")
    record = planted.topics["notifications"][number]
    planted.topics["notifications"][number] = record._replace(key=b"agent:acme/ghost")


def swap_last_messages(planted: Planted) -> None:
    """The last two messages of a customer changed their places in the transcript."""
    rows = planted.tables[MessageRow]
    his = [number for number, row in enumerate(rows) if row.sender == "customer"]
    first, second = next(
        (one, other)
        for one, other in zip(reversed(his[:-1]), reversed(his), strict=False)
        if rows[one].conversation == rows[other].conversation
    )
    ours, theirs = rows[first], rows[second]
    rows[first] = theirs._replace(position=ours.position)
    rows[second] = ours._replace(position=theirs.position)


def lose_unheard(planted: Planted) -> None:
    """What deadletter tells of never came."""
    kinds = [record.what("inbound") for record in planted.topics["inbound"]]
    planted.topics["inbound"].pop(kinds.index("unheard"))


def lose_presence(planted: Planted) -> None:
    """That an agent has come was never told."""
    kinds = [record.what("roster") for record in planted.topics["roster"]]
    planted.topics["roster"].pop(kinds.index("presence_changed"))


def _command(planted: Planted, what: str) -> int:
    return [record.what("commands") for record in planted.topics["commands"]].index(what)


def lose_forwarded(planted: Planted) -> None:
    """The misplaced record never came to its own partition."""
    inbound = planted.topics["inbound"]
    copies = [number for number, record in enumerate(inbound) if record.id == "misplaced-u4"]
    inbound.pop(copies[-1])


def give_to(agent: str, number: int) -> Fault:
    """An assignment went to somebody else; everything else agrees with it."""

    def plant(planted: Planted) -> None:
        found = [
            place
            for place, record in enumerate(planted.topics["assignments"])
            if record.what("assignments") == "assigned"
        ]
        planted.change("assignments", found[number], holder=agent)

    return plant


def lag(planted: Planted) -> None:
    """A group has not read its last record."""
    committed = planted.groups["notifier"]
    name = next(name for name, entry in committed.items() if entry.offset)
    committed[name] = committed[name]._replace(offset=committed[name].offset - 1)


def wrong_batch(planted: Planted) -> None:
    """The group's metadata names another batch than the lane's row."""
    planted.groups["desk"]["commands", 0] = Committed(planted.groups["desk"]["commands", 0].offset, "6")


def change_line(kind: str, sender: str, /, **fields: object) -> Fault:
    """The first line of this kind and sender holds something else."""
    return lambda planted: planted.change_row(MessageRow, _line(planted, kind, sender), **fields)


def drop_line(kind: str, sender: str) -> Fault:
    """The first line of this kind and sender is gone."""
    return lambda planted: planted.tables[MessageRow].pop(_line(planted, kind, sender))


def refuse_said(planted: Planted) -> None:
    """What an agent said was refused, though it is in the transcript."""
    number = planted.index("outcomes", lambda value: value["command"] == "say")
    record = planted.topics["outcomes"][number]
    planted.topics["outcomes"][number] = record._replace(
        headers=(record.headers[0], ("ce_type", b"tongdai.outcomes.refused.v1")),
        value=orjson.dumps(record.json() | {"code": "not_holder"}),
    )


def send_note(planted: Planted) -> None:
    """A note goes to the customer."""
    line = planted.tables[MessageRow][_line(planted, "note", "agent")]
    sent = {
        "conversation": line.conversation,
        "message": line.message,
        "position": line.position,
        "text": "@",
    }
    key = (planted.topics["outbound"][0].key or b"").decode()
    planted.append("outbound", key, "send", sent, 2_000_000)


def double_greeting(planted: Planted) -> None:
    """An agent's answer becomes a second greeting of its session."""
    number = _line(planted, "text", "agent")
    planted.change_row(MessageRow, number, sender="system", sender_id=None, code="greeting")


def repeat_read(planted: Planted) -> None:
    """A mark of reading is told twice."""
    kinds = [record.what("messages") for record in planted.topics["messages"]]
    repeat("messages", kinds.index("read"))(planted)


def lose_read(planted: Planted) -> None:
    """A mark of reading is not told."""
    kinds = [record.what("messages") for record in planted.topics["messages"]]
    planted.topics["messages"].pop(kinds.index("read"))


def change_customer(planted: Planted) -> None:
    """A customer changed, and nobody did it."""
    record = planted.topics["messages"][0]
    key, value = (record.key or b"").decode(), record.json() | {"tags": ["vip"]}
    planted.append("messages", key, "customer_changed", value, 2_000_000)


def _line(planted: Planted, kind: str, sender: str) -> int:
    rows = planted.tables[MessageRow]
    return next(number for number, row in enumerate(rows) if (row.kind, row.sender) == (kind, sender))


_SPOKEN, _SENT = "each message and note of an agent", "each message of an agent is once on outbound"
_RETURN = "a customer's return is told to all who follow him"
_RETURNED = "each return of a customer is told once on messages"
_PAGE_ONCE = "each time a page is paused or goes on is on receipts once"
_PAGE_TOLD = "each time a page is paused or goes on its admins are told"
_FAILED = "each answer that has failed gives one notice"
_TOLD, _GOES = "each answer that delivery has read is told", "how an answer stands goes only"
_WAYS, _ARRIVED = "the table of deliveries says", "an answer is delivered or read when"
_LOGGED, _MARKED = "each event that has a log line", "each mark of reading"
_CAUSES = "each event of a chain was caused by a command"
_ONCE, _PLACED = "each event appears once", "each event lies in the partition of its key"
CASES: dict[str, tuple[Fault, str]] = {
    "chain twice": (repeat("assignments", 5), _ONCE),
    "event without an id": (head("outbound", "ce_id", ""), _ONCE),
    "outcome in another partition": (misplace("outcomes"), _PLACED),
    "receipt in another partition": (misplace("receipts"), _PLACED),
    "event under another's id": (
        head("assignments", "ce_id", "00000000-0000-5000-8000-000000000000"),
        "each event of a desk has the id",
    ),
    "misplaced and left there": (leave_misplaced, "each record in a wrong partition"),
    "route that was never asked": (drop_record("commands", 1), _CAUSES),
    "end of a session that was never told": (
        lambda planted: planted.topics["commands"].pop(_command(planted, "session_ended")),
        _CAUSES,
    ),
    "letter of nothing": (lose_unheard, "each unreadable or refused"),
    "opened for nothing": (rename_event("session_opened", "confirmed"), "each session is opened once"),
    "session of the table ended": (change_row(SessionRow, 1, ended=True), "each session is opened once"),
    "every turn for one": (give_turns("chi", 9), "counts of agents eligible throughout"),
    "every turn for another": (give_turns("binh", 9), "counts of agents eligible throughout"),
    "notices of messages in another order": (swap_notices, "notices of a conversation's messages keep"),
    "notice under another's key": (rekey_notice, "notices of a conversation's messages keep"),
    "kept out and not marked": (rename_event("muted", "blocked"), "a customer's message is marked exactly"),
    "position twice": (change_row(MessageRow, 1, position=1), "positions are 1, 2, 3"),
    "line says something else on the topic": (change("messages", 3, text="khác"), "the messages topic says"),
    "later order changed": (swap_last_messages, "the order of the transcript"),
    "another readable one refused": (refuse_readable_of(5), "no readable record is in deadletter"),
    "inbound held back": (
        lambda planted: planted.open_transactions.update({("inbound", 0): 1}),
        "no record waits behind a transaction without an end",
    ),
    "offered to who never came": (lose_presence, "a transfer asks all who are there"),
    "answer lost": (drop_line("text", "agent"), _SPOKEN),
    "note lost": (drop_line("note", "agent"), _SPOKEN),
    "answer of nobody": (change_line("text", "agent", message="invented"), _SPOKEN),
    "answer of another": (change_line("text", "agent", sender_id="ghost"), _SPOKEN),
    "answer says something else": (change_line("text", "agent", body="khác"), _SPOKEN),
    "note turned into an answer": (change_line("note", "agent", kind="text"), _SPOKEN),
    "refused and said": (refuse_said, _SPOKEN),
    "answer not sent": (drop_record("outbound"), _SENT),
    "answer sent twice": (repeat("outbound"), _SENT),
    "something else sent": (change("outbound", 0, text="khác"), _SENT),
    "note sent": (send_note, _SENT),
    "greeting twice in a session": (double_greeting, "a page says at most one thing by itself"),
    "a line of the system that is no greeting": (
        change_line("text", "system", code="advertisement"),
        "a page says at most one thing by itself",
    ),
    "greeting not sent": (drop_record("outbound"), _SENT),
    "greeting says something else": (change_line("text", "system", body="khác"), _SENT),
    "log line lost": (drop_line("log", "system"), _LOGGED),
    "log line of nothing": (change_line("log", "system", code="blocked"), _LOGGED),
    "mark of reading lost": (lose_read, _MARKED),
    "mark of reading twice": (repeat_read, _MARKED),
    "customer changed by nobody": (change_customer, _MARKED),
    "action without outcome": (
        lambda planted: planted.topics["outcomes"].pop(
            planted.index("outcomes", lambda value: value["command"] == "mark_read")
        ),
        "each command and each action has exactly one outcome",
    ),
    "message lost": (drop_row(MessageRow), "each distinct message is once"),
    "message stored twice": (store_twice, "each distinct message is once"),
    "message of nobody": (
        change_row(MessageRow, 0, channel_message_id="invented"),
        "each message in the transcript was sent",
    ),
    "text changed": (change_row(MessageRow, 0, body="khác"), "each message in the transcript was sent"),
    "refused record lost": (drop_record("deadletter"), "each unreadable or refused"),
    "refused twice": (repeat("deadletter"), "each unreadable or refused"),
    "letter changed": (change("deadletter", 2, text="khác"), "each unreadable or refused"),
    "readable refused": (refuse_readable, "no readable record is in deadletter"),
    "forwarded lost": (lose_forwarded, "each record in a wrong partition"),
    "position missing": (change_row(MessageRow, 0, position=9), "positions are 1, 2, 3"),
    "order changed": (swap_messages, "the order of the transcript"),
    "topic and table differ": (change_row(MessageRow, 0, session=5), "the messages topic says"),
    "line not published": (drop_record("messages"), "on the messages topic each line follows"),
    "line marked": (change("messages", 0, blocked=True), "a customer's message is marked exactly"),
    "line published twice": (repeat("messages"), "on the messages topic each line follows"),
    "chain with a gap": (drop_record("assignments", 1), "each chain counts"),
    "wrong predecessor": (change_event("assigned", previous="?"), "each chain counts"),
    "epoch too high": (change_event("assigned", epoch=2), "the epoch rises"),
    "two holders": (change_event("assigned", former_holder="chi"), "the epoch rises"),
    "care without agent": (change_event("queued", care="accepted"), "no agent ⇔ new or waiting"),
    "held by nobody": (change_event("assigned", standing="queued"), "no agent ⇔ new or waiting"),
    "session without event": (
        change_row(SessionRow, 0, session=9),
        "each session is opened once on its chain",
    ),
    "event twice": (repeat("notifications"), "each event appears once"),
    "event in another partition": (
        lambda planted: planted.topics["roster"].append(
            planted.topics["roster"][0]._replace(partition=(planted.topics["roster"][0].partition + 1) % 4)
        ),
        "each event lies in the partition of its key",
    ),
    "desk says otherwise": (change_row(DeskConversationRow, 0, holder="chi", epoch=3), "folding assignments"),
    "desk forgot": (drop_row(DeskConversationRow), "folding assignments"),
    "intake behind": (change_row(ConversationRow, 0, seq=1), "intake and notifier have applied"),
    "notifier behind": (change_row(NotifierRow, 0, seq=1), "intake and notifier have applied"),
    "notifier behind the transcript": (
        change_row(NotifierRow, 0, position=1),
        "intake and notifier have applied",
    ),
    "notifier without a conversation": (drop_row(NotifierRow), "intake and notifier have applied"),
    "message held for ever": (
        lambda planted: planted.tables[HeldRow].append(HeldRow("acme", "c", 3)),
        "intake and notifier have applied",
    ),
    "roster row changed": (change_row(DefinitionRow, 0, version=2), "folding roster"),
    "roster version missing": (change("roster", 0, version=2), "folding roster"),
    "roster of another command": (
        change("roster", 0, cause={"partition": 0, "offset": 99}),
        "each roster event",
    ),
    "roster of before causes out of nowhere": (
        change("roster", 0, cause=None, at="2026-01-01T00:00:00.000Z"),
        "each roster event",
    ),
    "roster out of nowhere": (change("roster", 0, at="2026-01-01T00:00:00.000Z"), "each roster event"),
    "turn out of order": (give_to("an", 1), "nobody has a second turn"),
    "above capacity": (give_to("an", 4), "nobody was automatically assigned above capacity"),
    "stranger assigned": (give_to("ghost", 0), "nobody was automatically assigned above capacity"),
    "notice lost": (drop_notice("assigned"), "each assigned event gives one notice"),
    "message notice to another": (
        lambda planted: planted.change(
            "notifications", _first_notice(planted, "message"), agent="binh", epoch=9
        ),
        "each customer message gives one notice",
    ),
    "message notice lost": (
        lambda planted: planted.topics["notifications"].pop(_first_notice(planted, "message")),
        "each customer message gives one notice",
    ),
    "notice twice": (repeat_notice("assigned"), "each assigned event gives one notice"),
    "told although muted": (change_event("muted", agent="binh"), "each customer message gives one notice"),
    "told although blocked": (
        rename_event("muted", "blocked"),
        "each customer message gives one notice",
    ),
    "told although unfollowed": (
        rename_event("followed", "unfollowed"),
        "each customer message gives one notice",
    ),
    "mention lost": (drop_notice("mention"), "each note gives one notice"),
    "mention twice": (repeat_notice("mention"), "each note gives one notice"),
    "notice of a return twice": (repeat_notice("returned"), _RETURN),
    "notice of a return lost": (drop_notice("returned", last=True), _RETURN),
    "return told to nobody who followed": (lose_notices("returned"), _RETURN),
    "return told by a number of before": (change_notice("returned", seq=1), _RETURN),
    "return told to who does not follow": (change_notice("returned", agent="ghost"), _RETURN),
    "return told of nothing": (change_notice("returned", session=7), _RETURN),
    "return not told on messages": (lose_return, _RETURNED),
    "return twice on messages": (repeat_return, _RETURNED),
    "return of the first session": (
        lambda planted: planted.change("messages", _returned(planted), session=1),
        _RETURNED,
    ),
    "failed answer not told": (drop_notice("answer_failed"), _FAILED),
    "failed answer told twice": (repeat_notice("answer_failed"), _FAILED),
    "failed answer told to another": (
        lambda planted: planted.change(
            "notifications", _first_notice(planted, "answer_failed"), agent="ghost"
        ),
        _FAILED,
    ),
    "pause of a page not told": (drop_notice("page_paused"), _PAGE_TOLD),
    "pause of a page told twice": (repeat_notice("page_paused"), _PAGE_TOLD),
    "pause of a page told for another reason": (change_notice("page_paused", reason="billing"), _PAGE_TOLD),
    "end of a pause told to agents": (change_notice("page_resumed", audience="page:x"), _PAGE_TOLD),
    "end of a pause not told": (drop_notice("page_resumed"), _PAGE_TOLD),
    "pause of a page twice on receipts": (repeat_pause, _PAGE_ONCE),
    "pause of a page under another key": (
        lambda planted: planted.change("receipts", _paused(planted), key="messenger:shop:ghost"),
        _PAGE_ONCE,
    ),
    "answer told as failed that was sent": (change_told("failed", state="sent"), _FAILED),
    "answer of which nothing is told": (lose_told("queued", "failed"), _TOLD),
    "mail of which nothing is told": (lose_mail, _TOLD),
    "told of what nobody sent": (change_told("read", message="invented"), _TOLD),
    "told of another's answer": (change_told("sent", sender="agent:acme/ghost"), _TOLD),
    "told of another place": (change_told("queued", position=99), _TOLD),
    "an old version told again": (change_told("delivered", version=1), _GOES),
    "sent after it had failed": (change_told("queued", state="failed"), _GOES),
    "read before it was delivered again": (change_told("delivered", state="read"), _GOES),
    "sent without its parts": (change_told("sent", channel_message_ids=[]), _GOES),
    "parts lost on the way": (change_told("delivered", channel_message_ids=["z9"]), _GOES),
    "another number of parts": (change_told("read", parts=2), _GOES),
    "delivery kept otherwise": (change_row(DeliveryRow, 0, state="queued"), _WAYS),
    "reason kept otherwise": (change_row(DeliveryRow, 1, reason="billing"), _WAYS),
    "last change of an answer not told": (lose_told("read"), _WAYS),
    "delivery of nothing": (change_row(DeliveryRow, 0, message="invented"), _WAYS),
    "delivered, which no channel has said": (lose_arrival("delivered"), _ARRIVED),
    "read, which no channel has said": (lose_arrival("read"), _ARRIVED),
    "read, which is not told": (lose_told("read"), _ARRIVED),
    "delivery behind": (
        lambda planted: planted.groups["delivery"].update({("outbound", 0): Committed(99, "7")}),
        "the lag of every group",
    ),
    "transfer not offered": (drop_notice("transfer_offered"), "each change is told once"),
    "end of a transfer not told": (drop_notice("transfer_ended"), "each change is told once"),
    "care told twice": (repeat_notice("care_changed"), "each change is told once"),
    "care told to another": (
        lambda planted: planted.change("notifications", _first_notice(planted, "care_changed"), seq=1),
        "each change is told once",
    ),
    "offer not told": (drop_notice("offered"), "each offer is told once"),
    "offer told twice": (repeat_notice("offered"), "each offer is told once"),
    "offer not withdrawn": (drop_notice("withdrawn"), "each offer is told once"),
    "withdrawn for a winner that is none": (
        lambda planted: planted.change("notifications", _first_notice(planted, "withdrawn"), holder="an"),
        "each offer is told once",
    ),
    "watched lists behind": (drop_notice("conversation_changed", last=True), "what watched lists are told"),
    "watched lists told otherwise": (
        lambda planted: planted.change(
            "notifications", _first_notice(planted, "conversation_changed"), holder="ghost"
        ),
        "what watched lists are told",
    ),
    "follower without his list": (drop_row(InboxRow, -1), "each list has"),
    "list of who does not follow": (change_row(InboxRow, 0, follows=False), "each list has"),
    "mute not in the list": (change_row(InboxRow, 0, muted=True), "each list has"),
    "notice without row": (drop_row(NoticeRow), "the table of notices and the topic agree"),
    "notice row changed": (
        change_row(NoticeRow, 0, unread=9),
        "the table of notices and the topic agree",
    ),
    "unread wrong": (change_row(InboxRow, 0, unread=9), "each list has"),
    "list of another": (change_row(InboxRow, 0, agent="ghost"), "each list has"),
    "counter wrong": (change_row(CounterRow, 0, unread=99), "counters equal"),
    "counter missing": (drop_row(CounterRow), "counters equal"),
    "transaction without an end": (
        lambda planted: planted.open_transactions.update({("assignments", 1): 3}),
        "no record waits behind a transaction without an end",
    ),
    "lag": (lag, "the lag of every group"),
    "batch number": (wrong_batch, "each lane is released"),
    "lane owned": (change_row(LaneRow, 0, owner="term-1"), "each lane is released"),
    "lane stopped": (change_row(LaneRow, 0, stopped="why"), "each lane is released"),
    "pending left": (
        lambda planted: planted.tables[PendingRow].append(PendingRow("desk", 0, 7)),
        "each lane is released",
    ),
}


def _first_notice(planted: Planted, what: str) -> int:
    return _notices(planted, what)[0]


def _notices(planted: Planted, what: str) -> list[int]:
    kinds = [record.what("notifications") for record in planted.topics["notifications"]]
    return [number for number, kind in enumerate(kinds) if kind == what]
