"""`tongdai deadletter` on a real Kafka."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from config.errors import ExitCode
from config.settings import Settings
from schemas.deadletter import Deadletter, Reason
from schemas.envelope import header
from tests.cli.conftest import Tongdai
from tests.cli.publishing import Sent, publish, read_all
from workers.channels.topic_reader import open_reader
from workers.cli.deadletter_command import age

pytestmark = pytest.mark.servers

ORIGINAL = [("ce_type", b"tongdai.inbound.message.v1"), ("ce_id", b"7")]
KEY = b"messenger:page-1:u1"


def letter(
    reason: Reason = "unreadable",
    *,
    topic: str = "inbound",
    value: bytes = b'{"text": 1}',
    offset: int = 4711,
    more: list[tuple[str, bytes]] | None = None,
) -> Sent:
    said = Deadletter(reason, "text: a string is expected", "intake", topic, 3, offset, 1_700_000_000_123)
    return Sent(value, KEY, [*ORIGINAL, *(more or []), *said.headers()], partition=0)


async def count_of(settings: Settings, topic: str) -> int:
    """How many committed records a topic has; control records are none."""
    async with open_reader(settings, [topic]) as reader:
        begins, ends = await reader.begins(), await reader.ends()
        return len([record async for record in reader.read(begins, ends)])


async def test_the_newest_come_first_from_every_partition_and_aborted_ones_never(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    for number, partition in enumerate((0, 5, 2, 5)):
        sent = letter(offset=number)._replace(partition=partition)
        await publish(kafka_settings, topics["deadletter"], [sent])
        await publish(kafka_settings, topics["deadletter"], [sent], fail=True)

    done = await tongdai("deadletter", "list", "--limit", "3", "--json")
    assert done.exit_code == ExitCode.OK
    assert [each["offset"] for each in done.json()] == [3, 2, 1]
    newest = done.json()[0]
    assert newest["id"] == "5-4"  # behind one record, one aborted, and the ends of their transactions
    assert (newest["reason"], newest["topic"], newest["partition"]) == ("unreadable", "inbound", 3)
    assert newest["timestamp_ms"] == 1_700_000_000_123


async def test_the_list_for_people_says_why_and_where_from(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    await publish(kafka_settings, topics["deadletter"], [letter()])
    done = await tongdai("deadletter", "list")
    line = next(line for line in done.out.splitlines() if "0-0" in line)
    for word in ("unreadable", "inbound 3-4711", " s", "text: a string is expected"):
        assert word in line


async def test_a_rare_reason_is_found_far_back(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    rare = [letter("wrong_key", offset=number) for number in range(3)]
    common = [letter() for _ in range(1_500)]
    await publish(kafka_settings, topics["deadletter"], [*rare, *common])

    done = await tongdai("deadletter", "list", "--reason", "wrong_key", "--limit", "2", "--json")
    assert [each["reason"] for each in done.json()] == ["wrong_key"] * 2


async def test_an_unknown_reason_is_a_usage_error(tongdai: Tongdai) -> None:
    assert (await tongdai("deadletter", "list", "--reason", "bad")).exit_code == ExitCode.USAGE


async def test_show_prints_all_that_came_but_no_terminal_commands(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    value = "xin chào\n\x1b[31m".encode() + b"\xff"
    await publish(kafka_settings, topics["deadletter"], [letter(value=value)])

    done = await tongdai("deadletter", "show", "0-0")
    assert "deadletter_reason: unreadable" in done.out
    assert "key: messenger:page-1:u1" in done.out
    assert done.out.endswith("xin chào\n\\x1b[31m\\xff\n")

    shown = (await tongdai("deadletter", "show", "0-0", "--json")).json()
    assert base64.b64decode(shown["value_base64"]) == value
    assert shown["key"] == KEY.decode()
    assert {"name": "ce_id", "value": "7"} in shown["headers"]


@pytest.mark.parametrize("command", ["show", "replay"])
async def test_ids_that_name_nothing(tongdai: Tongdai, topics: dict[str, str], command: str) -> None:
    done = await tongdai("deadletter", command, "0-99")
    assert done.exit_code == ExitCode.FAILED
    assert "there is no dead letter 0-99" in done.err
    done = await tongdai("deadletter", command, "seven")
    assert done.exit_code == ExitCode.USAGE
    assert "3-1207" in done.err


async def test_a_replay_is_the_original_marked_and_only_one(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    await publish(kafka_settings, topics["deadletter"], [letter()])
    first = (await tongdai("deadletter", "replay", "0-0", "--yes", "--json")).json()
    assert (first["topic"], first["earlier"]) == (topics["inbound"], False)

    (record,) = await read_all(kafka_settings, topics["inbound"], 1)
    assert (record.partition, record.offset) == (first["partition"], first["offset"])
    assert (record.key, record.value) == (KEY, b'{"text": 1}')
    assert list(record.headers) == [
        *ORIGINAL,
        ("tongdai_replayed", b"0-0"),
        ("tongdai_original_timestamp_ms", b"1700000000123"),
    ]
    again = (await tongdai("deadletter", "replay", "0-0", "--yes", "--json")).json()
    assert again == first | {"earlier": True}
    assert await count_of(kafka_settings, topics["inbound"]) == 1


async def test_a_mended_value_goes_out_instead(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    mended = tmp_path / "mended.json"
    mended.write_bytes(b'{"text": "1"}')
    await publish(kafka_settings, topics["deadletter"], [letter()])
    done = await tongdai("deadletter", "replay", "0-0", "--value", str(mended), "--yes")
    assert "0-0 appended to" in done.out

    (record,) = await read_all(kafka_settings, topics["inbound"], 1)
    assert record.value == b'{"text": "1"}'


async def test_headers_and_key_are_mended_and_such_a_replay_is_found_again(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    await publish(kafka_settings, topics["deadletter"], [letter("unknown_type", more=[("ce_type", b"more")])])
    mended = ("--header", "ce_type=tongdai.inbound.echo.v1", "--header", "ce_source=us", "--key", "zalo:1:=")
    first = (await tongdai("deadletter", "replay", "0-0", *mended, "--yes", "--json")).json()
    (record,) = await read_all(kafka_settings, topics["inbound"], 1)
    assert (record.key, record.value) == (b"zalo:1:=", b'{"text": 1}')
    assert list(record.headers)[:3] == [
        ("ce_id", b"7"),
        ("ce_type", b"tongdai.inbound.echo.v1"),
        ("ce_source", b"us"),
    ]
    again = (await tongdai("deadletter", "replay", "0-0", "--key", "zalo:1:=", "--yes", "--json")).json()
    assert again == first | {"earlier": True}


@pytest.mark.parametrize("header", ["ce_type", "=x", "tongdai_replayed=0-1", "deadletter_reason=", "é=1"])
async def test_what_is_no_header_is_a_usage_error(tongdai: Tongdai, header: str) -> None:
    done = await tongdai("deadletter", "replay", "0-0", "--header", header, "--yes")
    assert done.exit_code == ExitCode.USAGE
    assert "header" in done.err


async def test_what_was_refused_again_keeps_its_first_time(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    more = [("tongdai_replayed", b"4-4"), ("tongdai_original_timestamp_ms", b"1600000000000")]
    await publish(kafka_settings, topics["deadletter"], [letter(more=more)])
    await tongdai("deadletter", "replay", "0-0", "--yes")

    (record,) = await read_all(kafka_settings, topics["inbound"], 1)
    assert header(record.headers, "tongdai_original_timestamp_ms") == b"1600000000000"
    assert [content for name, content in record.headers if name == "tongdai_replayed"] == [b"0-0"]


@pytest.mark.parametrize(
    ("topic", "why"),
    [("assignments", "only what comes from outside"), ("ingress/messenger", "put it on inbound")],
)
async def test_what_cannot_go_back_is_refused_with_the_reason(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str], topic: str, why: str
) -> None:
    await publish(kafka_settings, topics["deadletter"], [letter(topic=topic)])
    done = await tongdai("deadletter", "replay", "0-0", "--yes")
    assert done.exit_code == ExitCode.FAILED
    assert why in done.err


async def test_a_value_too_large_is_refused(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    large = tmp_path / "large.json"
    large.write_bytes(b"1" * 1_048_576)
    await publish(kafka_settings, topics["deadletter"], [letter()])
    done = await tongdai("deadletter", "replay", "0-0", "--value", str(large), "--yes")
    assert done.exit_code == ExitCode.FAILED
    assert "send a shorter value" in done.err


async def test_nothing_is_appended_where_nobody_can_be_asked(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str]
) -> None:
    await publish(kafka_settings, topics["deadletter"], [letter()])
    done = await tongdai("deadletter", "replay", "0-0", "--json")
    assert done.exit_code == ExitCode.USAGE
    assert "--yes" in done.err
    assert await count_of(kafka_settings, topics["inbound"]) == 0


def test_age_in_its_largest_unit() -> None:
    assert [age(seconds) for seconds in (-3, 90, 119.9, 120, 7_200, 172_800)] == [
        "0 s",
        "90 s",
        "119 s",
        "2 min",
        "2 h",
        "2 d",
    ]
