"""`tongdai connector check`: on files, and on a real Kafka with real workers behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from config.errors import ExitCode
from config.settings import Settings
from tests.cli.conftest import Done, Tongdai
from tests.conformance.connector import PARTITIONS, Connector, crc32_of, good
from tests.contract.switchboard import switchboard
from workers.cli.main import run
from workers.conformance.seen import Seen

SAMPLE = Path(__file__).parents[2] / "workers" / "local" / "sample.yaml"
ACCOUNT = "104857600012345"
PAGE = f"messenger:{ACCOUNT}"


Check = Callable[..., Done]


def as_line(seen: Seen, **more: object) -> bytes:
    """A record as a file has it."""
    headers = {name: content.decode() for name, content in seen.headers}
    key = None if seen.key is None else seen.key.decode()
    return orjson.dumps({"key": key, "value": seen.value.decode(), "headers": headers, **more}) + b"\n"


def states(done: Done) -> dict[str, str]:
    return {rule["rule"]: rule["state"] for rule in done.json()["rules"]}


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Call `tongdai connector check` where no server is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONGDAI_KAFKA_CONVERSATION_PARTITIONS", str(PARTITIONS))

    def call(*args: str) -> Done:
        with pytest.raises(SystemExit) as exited:
            run(["connector", "check", *args])
        printed = capsys.readouterr()
        return Done(int(exited.value.code or 0), printed.out, printed.err)

    return call


def test_a_file_is_checked_without_any_server(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"".join(as_line(each) for each in good().records) + b"\n")
    done = check(str(path), "--json")
    assert done.exit_code == ExitCode.OK, done.out
    untried = {name for name, state in states(done).items() if state == "not_tried"}
    assert untried == {"partition", "page", "outcome"}
    assert done.json()["records"] == 7

    connector = good()
    connector.send(txt="Shop ơi")
    path.write_bytes(b"".join(as_line(each, partition=each.partition) for each in connector.records))
    done = check(str(path))
    assert done.exit_code == ExitCode.FAILED
    (line,) = [line for line in done.out.splitlines() if line.strip().startswith("FAILED")]
    assert "1 of 8" in line
    assert "line 8 txt: Extra inputs are not permitted; leave it out, or put it into raw" in line
    (line,) = [line for line in done.out.splitlines() if " outcome " in line]
    assert line.strip().startswith("not tried")
    assert "let the connector publish to a Kafka with workers" in line


@pytest.mark.parametrize("line", ["[]", "{", '{"key": "k"}', '{"value": 1, "headers": 7}'])
def test_a_file_that_is_none_is_refused_with_its_line(check: Check, tmp_path: Path, line: str) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(as_line(good().records[0]) + line.encode())
    done = check(str(path))
    assert done.exit_code == ExitCode.USAGE
    assert "line 2 is no record: expected a JSON object with key, value and headers" in done.err


def test_an_empty_file_passes_nothing_and_a_strange_moment_is_told(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.touch()
    assert check(str(path)).exit_code == ExitCode.FAILED
    done = check("--since", "yesterday")
    assert done.exit_code == ExitCode.USAGE
    assert "expected 90s, 10m, 2h, 1d or a time" in done.err


async def publish(settings: Settings, topic: str, records: Sequence[Seen]) -> None:
    """As the connector puts them, for the sample's page."""
    producer = AIOKafkaProducer(**settings.kafka.client_options(), acks="all", enable_idempotence=True)
    async with producer:
        for each in records:
            await producer.send_and_wait(
                topic, each.value, key=each.key, headers=list(each.headers), partition=each.partition
            )


@pytest.mark.servers
async def test_a_connectors_records_are_followed_to_their_assignment_or_to_deadletter(
    tongdai: Tongdai,
    settings: Settings,
    topics: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TONGDAI_POSTGRES_DSN", settings.postgres.dsn.get_secret_value())
    inbound = topics["inbound"]
    async with switchboard(settings, tmp_path, SAMPLE):
        await publish(settings, inbound, good(ACCOUNT).records)
        done = await tongdai("connector", "check", "--since", "10m", "--json")
        assert set(states(done).values()) == {"passed"}, done.out
        assert done.exit_code == ExitCode.OK
        fates: list[dict[str, Any]] = done.json()["fates"]
        assert [fate["became"] for fate in fates] == ["stored"] * 7
        assert {fate["standing"] for fate in fates} <= {"held", "offered", "queued"}
        assert {(fate["id"], fate["position"]) for fate in fates} >= {("m1", 1)}

        bad = Connector(ACCOUNT)
        bad.send("hoa", text="lạc chỗ", place=lambda key: (crc32_of(key) + 1) % 4)
        bad.send("hoa", channel="zalo", account="nobody", key=b"zalo:nobody:hoa", place=lambda _: 0)
        bad.send("hoa", txt="nhầm")
        bad.send("hoa", key=b"nham")
        bad.send("hoa", headers={"ce_type": "tongdai.inbound.massage.v1"})
        bad.send("hoa", text="a\x00")
        await publish(settings, inbound, bad.records)
        done = await tongdai("connector", "check", "--since", "10m", "--json")
        assert done.exit_code == ExitCode.FAILED
        failed = {name for name, state in states(done).items() if state == "failed"}
        assert failed >= {"type", "fields", "text", "key", "page", "outcome"}
        told = {fate["reason"] for fate in done.json()["fates"]}
        assert told == {None, "unknown_page", "unreadable", "wrong_key", "unknown_type"}
        assert {fate["became"] for fate in done.json()["fates"]} == {"stored", "refused"}

        done = await tongdai("connector", "check", "--since", "10m", "--page", "zalo:nobody", "--json")
        assert [fate["reason"] for fate in done.json()["fates"]] == ["unknown_page"]

        listening = asyncio.ensure_future(tongdai("connector", "check", "--for", "30", "--limit", "2"))
        while not listening.done():
            await publish(settings, inbound, [Connector(ACCOUNT).send("lan")])
            await asyncio.wait([listening], timeout=0.3)
        assert "2 records of " + PAGE in listening.result().out
        assert "Now let the connector" in listening.result().err
