"""What readers were shown meanwhile: what is true of topics and tables passes, each lie is caught."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from checker.record import LogRecord
from checker.report import Report
from checker.rows import ConversationRow, DeskConversationRow, MessageRow
from checker.run import Run
from tests.checker.planted import Planted
from tests.checker.plants import clean

Lines = list[dict[str, Any]]
Change = Callable[[Lines], object]
SAME = "no offset ever shows a reader something else than in the end"
KEPT = "whatever a reader was shown is on its topic in the end"
ORDER = "a reader is shown every record, in order, and none again but where it looks again"
PREFIX = "each snapshot shows the positions 1, 2, 3, … up to the conversation's"
STAYS = "each line that a snapshot shows stands there in the end"
FORWARD = "no snapshot shows a conversation as it was before an earlier one"
ROWS = "each snapshot shows the rows of desk and intake as after an event of the chain"


def true(planted: Planted) -> Lines:
    """Everything shown in polls of three records, then the tables as they are, once as they were before."""
    lines: Lines = []
    for topic in ("assignments", "messages"):
        parts: dict[int, list[LogRecord]] = defaultdict(list)
        for record in planted.topics[topic]:
            parts[record.partition].append(record)
        for records in parts.values():
            lines += [poll(topic, *records[at : at + 3]) for at in range(0, len(records), 3)]
    last = list(stood(planted))
    return [*lines, snapshot(younger(last[0])), snapshot(*last)]


def snapshot(*conversations: dict[str, Any]) -> dict[str, Any]:
    """So they stood at one moment."""
    return {"type": "snapshot", "conversations": conversations}


def poll(topic: str, *records: LogRecord) -> dict[str, Any]:
    """A reader was shown these."""
    return {
        "type": "poll",
        "topic": topic,
        "partition": records[0].partition,
        "offsets": [record.offset for record in records],
        "ids": [record.id for record in records],
        "sums": [zlib.crc32((record.key or b"") + (record.value or b"")) for record in records],
    }


def stood(planted: Planted) -> Iterator[dict[str, Any]]:
    """Each conversation as the tables have it."""
    desks = {row.conversation: row for row in planted.tables[DeskConversationRow]}
    for row in planted.tables[ConversationRow]:
        assert isinstance(row, ConversationRow)
        written = [one for one in planted.tables[MessageRow] if one.conversation == row.conversation]
        desk = desks[row.conversation]
        yield {
            "conversation": row.conversation,
            "position": row.position,
            **{name: getattr(row, name) for name in ("seq", "epoch", "holder")},
            "positions": [one.position for one in written],
            "messages": [one.message for one in written[-2:]],
            "desk": {name: getattr(desk, name) for name in ("seq", "epoch", "holder")}
            | {"event": desk.last_event_id},
        }


def younger(one: dict[str, Any]) -> dict[str, Any]:
    """The conversation with a line less, of which intake and the desk do not know yet."""
    desk = {"seq": 0, "epoch": 0, "holder": None}
    return one | desk | {"position": 0, "positions": [], "messages": [], "desk": None}


def report(planted: Planted, lines: Lines) -> Report:
    return Run(planted, readers=map(orjson.dumps, lines)).report()


def violated(planted: Planted, lines: Lines) -> set[str]:
    """The titles of the checks that fail."""
    return {tally.title for tally in report(planted, lines).tallies if tally.violated}


def polls(lines: Lines) -> Lines:
    """Of a partition that was polled several times."""
    (most, *_) = sorted(
        (line for line in lines if line["type"] == "poll"), key=lambda line: -line["offsets"][0]
    )
    return [line for line in lines if line["type"] == "poll" and part(line) == part(most)]


def part(line: dict[str, Any]) -> tuple[str, int]:
    return line["topic"], line["partition"]


def look_again(lines: Lines, *, at: int, then: list[dict[str, Any]]) -> None:
    """Behind everything the reader goes there, says so, and is shown this."""
    lines += [go(lines, at), *then]


def swap(lines: Lines) -> None:
    """Two polls of a partition have changed places."""
    ours, theirs = polls(lines)[:2]
    one, other = lines.index(ours), lines.index(theirs)
    lines[one], lines[other] = theirs, ours


def pass_by(lines: Lines) -> None:
    """Instead of a poll the reader goes behind it."""
    missed, next_ = polls(lines)[1:3]
    lines[lines.index(missed)] = go(lines, next_["offsets"][0])


def shown(lines: Lines) -> dict[str, Any]:
    """A conversation of several lines, as the last snapshot shows it."""
    found: dict[str, Any] = next(one for one in lines[-1]["conversations"] if one["position"] > 2)
    return found


def with_desk(lines: Lines, **fields: object) -> None:
    """The desk's row says something else in the last snapshot."""
    shown(lines)["desk"].update(fields)


def again(lines: Lines, **fields: object) -> None:
    """One more snapshot shows a conversation, changed."""
    lines.append(snapshot(shown(lines) | fields))


def after(planted: Planted, conversation: str, seq: int) -> dict[str, Any]:
    """How intake has a conversation after this event."""
    events = [record.json() for record in planted.topics["assignments"]]
    event = next(one for one in events if (one["conversation"], one["seq"]) == (conversation, seq))
    return {name: event[name] for name in ("seq", "epoch", "holder")}


def go(lines: Lines, offset: int) -> dict[str, Any]:
    """The reader goes there."""
    topic, partition = part(polls(lines)[0])
    return {"type": "seek", "topic": topic, "partition": partition, "offset": offset}


def taken_back(lines: Lines) -> dict[str, Any]:
    """A poll of a record behind the last one."""
    last = polls(lines)[-1]
    return {**last, "offsets": [last["offsets"][-1] + 1], "ids": ["aborted"], "sums": [0]}


def one_more(lines: Lines) -> None:
    """The snapshot shows a line, and counts it, that nobody has in the end."""
    one = shown(lines)
    one["position"] += 1
    one["positions"].append(one["position"])
    one["messages"].append("rolled back")


TRUE: dict[str, Change] = {
    "all of it": lambda _: None,
    "begun where it begins": lambda lines: lines.insert(0, go(lines, 0)),
    "a stretch again": lambda lines: look_again(
        lines, at=polls(lines)[1]["offsets"][0], then=polls(lines)[1:2]
    ),
    "nothing of it found": lambda lines: look_again(lines, at=0, then=[]),
    "interrupted, and on where it was": lambda lines: look_again(
        lines, at=polls(lines)[-1]["offsets"][-1] + 1, then=[]
    ),
    "the same snapshot again": lambda lines: lines.append(lines[-1]),
}
LIES: dict[str, tuple[Change, str]] = {
    "another id": (lambda lines: polls(lines)[0]["ids"].__setitem__(0, "?"), SAME),
    "another value": (lambda lines: polls(lines)[1]["sums"].__setitem__(0, 7), SAME),
    "another value when it looks again": (
        lambda lines: look_again(lines, at=0, then=[{**polls(lines)[0], "sums": [7, 7, 7]}]),
        SAME,
    ),
    "a record that was taken back": (lambda lines: lines.append(taken_back(lines)), KEPT),
    "a partition that has none": (lambda lines: lines.append({**taken_back(lines), "partition": 77}), KEPT),
    "backwards": (swap, ORDER),
    "again without a word": (lambda lines: lines.append(polls(lines)[0]), ORDER),
    "left out": (lambda lines: lines.remove(polls(lines)[1]), ORDER),
    "left out when it looks again": (
        lambda lines: look_again(lines, at=0, then=polls(lines)[1:2]),
        ORDER,
    ),
    "the last one not shown": (lambda lines: lines.remove(polls(lines)[-1]), ORDER),
    "went past what it had not read": (pass_by, ORDER),
    "a topic not shown": (
        lambda lines: lines.__setitem__(
            slice(None), [line for line in lines if line.get("topic") != "assignments"]
        ),
        ORDER,
    ),
    "a gap": (lambda lines: shown(lines)["positions"].remove(2), PREFIX),
    "a position twice": (lambda lines: shown(lines)["positions"].insert(1, 1), PREFIX),
    "a position twice in the place of another": (
        lambda lines: shown(lines)["positions"].__setitem__(1, 1),
        PREFIX,
    ),
    "fewer lines than its row says": (lambda lines: again(lines, positions=[1], messages=[]), PREFIX),
    "more lines than its row says": (lambda lines: shown(lines)["positions"].append(99), PREFIX),
    "another line": (lambda lines: shown(lines)["messages"].__setitem__(0, "?"), STAYS),
    "lines in another order": (lambda lines: shown(lines)["messages"].reverse(), STAYS),
    "a line that is gone": (one_more, STAYS),
    "a conversation that is gone": (lambda lines: again(lines, conversation="?"), STAYS),
    "a line less than before": (
        lambda lines: again(lines, position=1, positions=[1], messages=[]),
        FORWARD,
    ),
    "an older epoch": (lambda lines: again(lines, epoch=0), FORWARD),
    "the desk forgot": (lambda lines: again(lines, desk=None), FORWARD),
    "an older event of the desk": (
        lambda lines: again(lines, desk=shown(lines)["desk"] | {"seq": 1}),
        FORWARD,
    ),
    "an event that never came": (lambda lines: with_desk(lines, seq=99), ROWS),
    "another event": (lambda lines: with_desk(lines, event="?"), ROWS),
    "another holder": (lambda lines: with_desk(lines, holder="ghost"), ROWS),
    "another epoch": (lambda lines: with_desk(lines, epoch=77), ROWS),
    "another holder at intake": (lambda lines: shown(lines).update(holder="ghost"), ROWS),
    "intake before the desk": (lambda lines: shown(lines).update(desk=None), ROWS),
    "an epoch before the first event": (
        lambda lines: lines[-2]["conversations"][0].update(epoch=1),
        ROWS,
    ),
}


@pytest.mark.parametrize("change", TRUE.values(), ids=TRUE)
def test_what_readers_were_truly_shown_passes_and_every_check_has_looked_at_it(change: Change) -> None:
    planted = clean()
    lines = true(planted)
    change(lines)
    found = {tally.title: tally for tally in report(planted, lines).tallies}
    assert [title for title, tally in found.items() if tally.violated] == []
    assert all(found[title].checked for title in (SAME, KEPT, ORDER, PREFIX, STAYS, FORWARD, ROWS))


@pytest.mark.parametrize(("change", "title"), LIES.values(), ids=LIES)
def test_a_lie_is_caught(change: Change, title: str) -> None:
    planted = clean()
    lines = true(planted)
    change(lines)
    assert title in violated(planted, lines)


def test_every_check_of_readers_has_two_lies_at_least() -> None:
    assert min(Counter(title for _, title in LIES.values()).values()) > 1


def test_a_record_that_was_shown_and_is_gone_is_caught() -> None:
    planted = clean()
    lines = true(planted)
    planted.topics["messages"].pop()
    assert KEPT in violated(planted, lines)


def test_a_record_that_has_become_another_one_is_caught() -> None:
    planted = clean()
    lines = true(planted)
    planted.change("messages", 3, text="khác")
    assert SAME in violated(planted, lines)


def test_a_row_whose_event_is_published_later_is_as_after_it() -> None:
    planted = clean()
    lines = true(planted)
    of_intake = after(planted, shown(lines)["conversation"], shown(lines)["seq"] - 1)
    lines.insert(-1, snapshot(shown(lines) | of_intake))
    assert violated(planted, lines) == set()


def test_how_often_a_reader_looked_is_told() -> None:
    planted = clean()
    lines = true(planted)
    look_again(lines, at=0, then=[])
    order = next(tally for tally in report(planted, lines).tallies if tally.title == ORDER)
    polled = sum(line["type"] == "poll" for line in lines)
    assert order.facts == {"polls": polled, "looked again": 1}
    assert order.checked == sum(len(planted.topics[topic]) for topic in ("assignments", "messages"))
