"""`tongdai tail`: what it shows of a record, and how it follows a real Kafka until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from config.settings import Settings
from schemas.envelope import Kind, headers
from tests.cli.conftest import Tongdai
from tests.cli.publishing import Sent, publish
from tests.notifier.history import History
from workers.cli.tail_line import Filter, Seen, see

DEADLINE_S = 90.0
ROOT = Path(__file__).parents[2]
PROGRAM = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from workers.cli.main import run; run()"


def history() -> History:
    """A customer wrote, An got it, then Binh; the customer wrote again."""
    told = History("u1", sessions=[1])
    told.say("customer", seq=0, epoch=0)
    told.assign("an", after_position=1)
    told.assign("binh", after_position=1)
    told.queue(after_position=1)
    told.say("customer", seq=3, epoch=2)
    return told


def sent(what: str, topic: str, value: bytes) -> Sent:
    attributes = headers(Kind(topic, what), id_="7", source="test", subject="x", time="2026-11-02T08:00:00Z")
    return Sent(value, headers=attributes)


def assignments() -> list[Sent]:
    steps = [step.event for step in history().steps]
    return [sent(type(e).__name__.lower(), "assignments", e.model_dump_json().encode()) for e in steps]


def messages() -> list[Sent]:
    return [sent("stored", "messages", heard.value) for heard in history().messages]


def seen(one: Sent, **changes: object) -> Seen:
    value = orjson.dumps(orjson.loads(one.value) | changes)
    record: ConsumerRecord = ConsumerRecord(
        topic="t", partition=1, offset=2, timestamp=0, timestamp_type=0, key=one.key, value=value,
        checksum=None, serialized_key_size=0, serialized_value_size=0, headers=tuple(one.headers),
    )  # fmt: skip
    found = see(record)
    assert found is not None
    return found


def test_an_assignment_in_words() -> None:
    assert seen(assignments()[1]).text() == (
        "2026-11-02T08:00:01.500Z  acme  messenger:page-1:u1  "
        "#2 assigned to binh from an by rule rule-1 v1 (round_robin) session 1, epoch 2, accepted"
    )


def test_a_queued_conversation_in_words() -> None:
    assert "#3 queued under rule rule-1 session 1" in seen(assignments()[2]).text()


def test_messages_in_words() -> None:
    first = messages()[0]
    assert seen(first).text().endswith("messenger:page-1:u1  @1 customer: dòng 1")
    assert seen(first, text="a\x1b[2J\nb").text().endswith("customer: a\\x1b[2J\\nb")
    assert len(seen(first, text="a" * 500).text()) < 300
    pictures: dict[str, Any] = {"text": None, "attachments": [{"type": "image"}, {"type": "file"}]}
    assert seen(first, **pictures).text().endswith("customer: [image] [file]")
    line: dict[str, Any] = {"sender": "system", "kind": "log", "code": "assigned", "params": {"agent": "an"}}
    assert seen(first, **line).text().endswith('system: [assigned] {"agent":"an"}')


def roster(what: str, **said: object) -> Seen:
    """An event of the roster."""
    value = {"workspace": "acme", "desk": "main", "at": "2026-11-02T08:00:00.000Z", "version": 3, **said}
    return seen(sent(what, "roster", orjson.dumps(value)))


def test_the_roster_in_words() -> None:
    came = roster("presence_changed", agent="an", presence="online", former="away")
    assert came.text() == "2026-11-02T08:00:00.000Z  acme  main  v3 presence_changed an online"
    gone = roster("agent_changed", agent={"id": "binh", "name": "Bình"}, removed=True)
    assert gone.text().endswith("main  v3 agent_changed binh removed")
    page = roster("page_changed", page={"id": "zalo:1"})
    assert page.text().endswith("v3 page_changed zalo:1")
    assert roster("policy_changed", policy={}).text().endswith("v3 policy_changed")
    both = [came.value, gone.value, page.value]
    assert [Filter(agent="binh").wants(value) for value in both] == [False, True, False]
    assert [Filter(page="zalo:1").wants(value) for value in both] == [False, False, True]


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (Filter(), [1, 2, 3]),
        (Filter(workspace="acme", page="messenger:page-1"), [1, 2, 3]),
        (Filter(workspace="other"), []),
        (Filter(page="zalo:1"), []),
        (Filter(agent="an"), [1, 2]),
        (Filter(agent="binh"), [2]),
        (Filter(conversation="messenger:page-1:u1"), [1, 2, 3]),
        (Filter(conversation=str(history().conversation)), [1, 2, 3]),
        (Filter(conversation="messenger:page-1:u2"), []),
    ],
)
def test_only_what_is_wanted_is_shown(wanted: Filter, shown: list[int]) -> None:
    values = [seen(one).value for one in assignments()]
    assert [value["seq"] for value in values if wanted.wants(value)] == shown


def test_an_agents_own_messages_and_log_lines_are_his() -> None:
    first = messages()[0]
    wanted = Filter(agent="an")
    assert wanted.wants(seen(first, sender="agent", sender_id="an").value)
    assert wanted.wants(seen(first, sender="system", params={"agent": "an"}).value)
    assert not wanted.wants(seen(first, sender="customer", sender_id="an").value)


@pytest.mark.servers
async def test_from_the_beginning_as_json(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    await publish(kafka_settings, topics["assignments"], assignments()[:1], fail=True)
    await publish(kafka_settings, topics["assignments"], [Sent(b"no JSON"), *assignments()])

    process = await start("assignments", "--from-beginning", "--json", "--agent", "binh", "--count", "1")
    out, err = await finish(process)
    (line,) = out.splitlines()
    record = orjson.loads(line)
    assert (record["topic"], record["what"], record["id"]) == (topics["assignments"], "assigned", "7")
    assert record["value"]["holder"] == "binh"
    assert err.count("no JSON object") == 1


@pytest.mark.servers
@pytest.mark.usefixtures("environment")
async def test_it_follows_until_ctrl_c(kafka_settings: Settings, topics: dict[str, str]) -> None:
    process = await start("messages", "--from-beginning")
    assert process.stdout is not None
    for _ in range(2):
        await publish(kafka_settings, topics["messages"], messages()[:1])
        line = await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)
        assert line.endswith("@1 customer: dòng 1\n".encode())
    process.send_signal(signal.SIGINT)
    assert await finish(process) == ("", "")


@pytest.mark.servers
@pytest.mark.usefixtures("environment")
async def test_a_reader_who_has_seen_enough_is_no_error_of_kafka(
    kafka_settings: Settings, topics: dict[str, str]
) -> None:
    await publish(kafka_settings, topics["messages"], messages() * 2_000)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", '"$0" -c "$1" tail messages --from-beginning | head -1', sys.executable, PROGRAM),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await finish(process)
    assert out.count("\n") == 1
    assert err == ""


async def start(*args: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, "tail", *args),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finish(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """What it still printed; it must end by itself, without an error."""
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode == 0, err.decode()
    return out.decode(), err.decode()
