"""The rules of connectors: one that does everything right passes, and each mistake fails its own rule."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from config.topics import INBOUND
from schemas.assignments import Standing
from tests.conformance.connector import ACCOUNT, NOW_MS, PAGE, PARTITIONS, Connector, crc32_of, good
from workers.conformance.fate import Fate
from workers.conformance.kit import Followed, check
from workers.conformance.seen import Seen
from workers.conformance.verdict import FAULTS_MAX, Verdict
from workers.runtime.topology import MAX_BYTES

OWNERS = {PAGE: "acme"}


def stored(seen: Seen, standing: Standing = "held") -> Fate:
    return Fate(seen.place, seen.true_key or "", "m", "stored", 1, standing, "lan")


def tried(connector: Connector, partitions: int = PARTITIONS) -> dict[str, Verdict]:
    followed = Followed(OWNERS, [stored(each) for each in connector.records])
    return {each.rule: each for each in check(connector.records, partitions, followed)}


def test_a_connector_that_does_everything_right_passes_every_rule() -> None:
    verdicts = tried(good())
    assert {each.state for each in verdicts.values()} == {"passed"}, verdicts
    assert set(verdicts) == {
        *("headers", "type", "value", "fields", "text", "time", "size", "addresses", "key", "partition"),
        "page",
        *("ids", "retries", "order", "outcome"),
    }


NUL = orjson.dumps({"channel": "messenger", "account": ACCOUNT, "user": "an", "channel_message_id": "m"})
HALF = NUL[:-1] + rb', "text": "\ud83d"}'
BYTES = NUL[:-1] + b', "text": "\xff"}'


@pytest.mark.parametrize(
    ("mistake", "rule", "told"),
    [
        (lambda c: c.send(headers={"ce_id": None}), "headers", "has no ce_id"),
        (lambda c: c.send(headers={"ce_specversion": "0.3"}), "headers", "ce_specversion is '0.3'"),
        (lambda c: c.send(headers={"content-type": "text/plain"}), "headers", "content-type is 'text/plain'"),
        (lambda c: c.send(headers={"ce_time": "yesterday"}), "headers", "ce_time is 'yesterday'"),
        (lambda c: c.send(headers={"ce_id": "id 1"}), "headers", "has the ce_id 'id 1' of"),
        (lambda c: c.send(headers={"ce_type": "my.message"}), "type", "ce_type is 'my.message'"),
        (lambda c: c.send(headers={"ce_type": "tongdai.inbound.massage.v1"}), "type", "massage"),
        (lambda c: c.send(text=7), "value", "text: Input should be a valid string"),
        (lambda c: c.send(value=b"{"), "value", "Invalid JSON"),
        (lambda c: c.send(text="x" * 20_001), "value", "at most 20000 characters"),
        (lambda c: c.send(text=None), "value", "text or at least one attachment"),
        (lambda c: c.send(txt="x"), "fields", "txt: Extra inputs are not permitted"),
        (lambda c: c.send(attachments=[{"type": "image", "href": "x"}]), "fields", "attachments.0.href"),
        (lambda c: c.send(text="a\x00b"), "text", "text: String should match pattern"),
        (lambda c: c.send(value=HALF), "text", "hex escape"),
        (lambda c: c.send(value=BYTES), "text", "Invalid JSON"),
        (lambda c: c.send(sent_at_ms=NOW_MS // 1000), "time", "seconds, it seems"),
        (lambda c: c.send(sent_at_ms=NOW_MS * 1000), "time", "less than or equal to 253402300799999"),
        (lambda c: c.send(sent_at_ms="2026"), "time", "valid integer"),
        (lambda c: c.send(sent_at_ms=NOW_MS + 900_000), "time", "s after the broker took it"),
        (lambda c: c.send(raw="x" * MAX_BYTES[INBOUND.name]), "size", "bytes"),
        (lambda c: c.send(customer_picture="//cdn/a.jpg"), "addresses", "picture: begins with neither http"),
        (lambda c: c.send(attachments=[{"type": "image", "url": "https:///a"}]), "addresses", "no host"),
        (lambda c: c.send(attachments=[{"type": "file", "url": "http://10.0.0.1/a"}]), "addresses", "public"),
        (lambda c: c.send(attachments=[{"type": "file", "url": "http://[a/"}]), "addresses", "0.url: is no"),
        (lambda c: c.send(key=b"an"), "key", "the key is 'an', channel/account/user say 'messenger:100:an'"),
        (lambda c: c.send(account="999", key=b"messenger:999:an"), "page", "nobody has connected the page"),
        (lambda c: c.send(workspace="other"), "page", "is not of the workspace 'other'"),
        (lambda c: c.send("an", "m1"), "ids", "has the id 'm1' of"),
        (lambda c: c.send(text="hai", sent_at_ms=NOW_MS + 2), "retries", "its id was 'm2' and now 'm8'"),
        (lambda c: c.send("bình", sent_at_ms=NOW_MS - 9), "order", "was sent before"),
    ],
)
def test_each_mistake_fails_its_own_rule_with_the_record(
    mistake: Callable[[Connector], Seen], rule: str, told: str
) -> None:
    connector = good()
    wrong = mistake(connector)
    verdicts = tried(connector)
    assert [name for name, each in verdicts.items() if each.state == "failed"] == [rule]
    (fault,) = verdicts[rule].faults
    assert fault.place == wrong.place
    assert told in fault.what
    assert (verdicts[rule].broken, bool(verdicts[rule].advice)) == (1, True)


def test_a_partitioner_by_crc32_is_called_by_its_name() -> None:
    connector = Connector()
    for number in range(12):
        connector.send(f"u{number}", place=crc32_of)
    partition = tried(connector)["partition"]
    assert partition.state == "failed"
    assert 0 < partition.broken <= 12
    assert partition.advice.startswith(
        "all of them lie where CRC32 puts them: it is the default of librdkafka"
    )
    assert "murmur2_random" in partition.advice


def test_sarama_s_partitioner_is_known_and_one_that_nobody_knows_is_not_guessed() -> None:
    # FNV-1a of b"a" and b"foobar": http://www.isthe.com/chongo/tech/comp/fnv
    hashes = {b"a": 0xE40C292C, b"foobar": 0xBF9CF968}
    connector = Connector()
    for key, hashed in hashes.items():
        signed = hashed - (1 << 32)
        connector.send(key=key, place=lambda _, signed=signed: abs(signed) % PARTITIONS)
    assert "FNV-1a" in tried(connector)["partition"].advice
    connector.send("x", place=lambda key: 3 - crc32_of(key))
    assert "lie where" not in tried(connector)["partition"].advice


def test_one_partition_says_nothing_about_a_partitioner() -> None:
    connector = Connector()
    connector.send("an", place=lambda _: 0)
    assert tried(connector, partitions=1)["partition"].state == "not_tried"


def test_a_record_without_a_key_lies_anywhere() -> None:
    connector = Connector()
    seen = connector.send("an")
    seen.key = None
    assert "it has no key" in tried(connector)["partition"].faults[0].what
    assert "the key is missing" in tried(connector)["key"].faults[0].what


def test_what_was_not_tried_says_how_to_try_it() -> None:
    connector = Connector()
    connector.send("an", sent_at_ms=None)
    verdicts = tried(connector)
    untried = {name: each.advice for name, each in verdicts.items() if each.state == "not_tried"}
    assert set(untried) == {"time", "addresses", "ids", "retries", "order"}
    assert untried["retries"].startswith("have the connector send one message again")
    assert all(untried.values())
    assert {each.state for each in check((), PARTITIONS, "there is no Postgres")} == {"not_tried"}
    without = {each.rule: each for each in check(connector.records, PARTITIONS, "there is no Postgres")}
    assert {without[name].advice for name in ("page", "outcome")} == {"there is no Postgres"}


def test_a_retry_is_no_mistake_of_order_and_may_carry_headers_of_its_own() -> None:
    connector = Connector()
    for text in ("một", "hai"):
        connector.send("an", f"m {text}", text=text)
    connector.send("an", "m một", text="một", sent_at_ms=NOW_MS + 1)
    verdicts = tried(connector)
    assert [verdicts[name].state for name in ("ids", "retries", "order")] == ["passed"] * 3


def test_the_same_words_a_while_later_are_another_message() -> None:
    connector = Connector()
    connector.send("an", text="alo")
    connector.send("an", text="alo")
    connector.send("bình", text="alo", sent_at_ms=NOW_MS + 1)
    assert tried(connector)["retries"].state == "not_tried"


def test_the_channels_own_event_tells_a_retry_without_a_time() -> None:
    connector = Connector()
    for _ in range(2):
        connector.send("an", text="alo", sent_at_ms=None, raw={"mid": "x"})
    assert tried(connector)["retries"].state == "failed"


def test_what_a_record_says_in_another_kind_is_held_against_that_kind() -> None:
    connector = Connector()
    other = {"ce_type": "tongdai.inbound.other.v1"}
    value = {"channel": "messenger", "account": ACCOUNT, "user": "an", "event": "poke"}
    connector.send("an", value=orjson.dumps(value), headers=other)
    verdicts = tried(connector)
    assert (verdicts["value"].state, verdicts["ids"].tried) == ("passed", 0)


def test_many_faults_are_counted_and_some_are_told() -> None:
    connector = Connector()
    for number in range(FAULTS_MAX + 5):
        connector.send(f"u{number}", key=b"wrong")
    key = tried(connector)["key"]
    assert (key.broken, len(key.faults)) == (FAULTS_MAX + 5, FAULTS_MAX)


def test_outcomes_say_what_became_of_a_message() -> None:
    connector = good()
    fates = [stored(each) for each in connector.records]
    fates[0] = fates[0]._replace(became="refused", reason="unknown_page", detail="no workspace has it")
    fates[1] = fates[1]._replace(became="waiting")
    fates[2] = fates[2]._replace(became="skipped")
    outcome = check(connector.records, PARTITIONS, Followed(OWNERS, fates))[-1]
    assert (outcome.rule, outcome.state, outcome.tried, outcome.broken) == ("outcome", "failed", 6, 2)
    assert [fault.what for fault in outcome.faults] == [
        "refused, unknown_page: no workspace has it",
        "not taken yet: does the routing worker run?",
    ]
    assert fates[3].text == "stored as line 1, is with lan"
    assert fates[3]._replace(standing="queued", holder=None).text == "stored as line 1, waits in the queue"
