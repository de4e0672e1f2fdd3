"""The checker knows echoes of our own messages from those of others, from receipts alone."""

from __future__ import annotations

from typing import Any

import orjson

from checker.facts.own_sent import Failed, OwnSent
from checker.record import LogRecord

MESSAGE = "00000000-0000-5000-8000-000000000001"


def _delivery(**fields: Any) -> LogRecord:  # noqa: ANN401
    value = {
        "workspace": "acme",
        "conversation": "c",
        "message": MESSAGE,
        "page": "zalo:1",
        "position": 3,
        "sender": "agent:acme/lan",
        "state": "sent",
        "channel_message_ids": ["z1"],
        **fields,
    }
    return LogRecord(0, 0, 0, b"zalo:1:an", orjson.dumps(value), ())


def _echo(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"author": "bot", "channel_message_id": "z1", **fields}


def test_an_echo_is_ours_by_its_id_on_its_page_or_by_our_mark() -> None:
    own = OwnSent([_delivery()])
    assert own.is_echoed("echo", "zalo:1", _echo())
    assert own.is_echoed("echo", "messenger:1", _echo(channel_message_id="m", marker=f"tongdai/{MESSAGE}/0"))


def test_agents_answers_that_failed_are_known() -> None:
    records = [
        _delivery(),
        _delivery(state="failed", reason="policy"),
        _delivery(state="failed", sender="service:bot"),
        _delivery(state="failed", sender="system"),
    ]
    assert OwnSent(records).failed == {Failed("c", "lan", MESSAGE, 3, "policy")}


def test_no_other_record_is() -> None:
    own = OwnSent([_delivery()])
    assert not own.is_echoed("message", "zalo:1", _echo())
    assert not own.is_echoed("echo", "zalo:2", _echo())
    assert not own.is_echoed("echo", "zalo:1", _echo(author="human"))
    assert not own.is_echoed("echo", "zalo:1", _echo(channel_message_id="z2"))
    stranger = MESSAGE.replace("1", "2")
    assert not own.is_echoed("echo", "zalo:1", _echo(channel_message_id="m", marker=f"tongdai/{stranger}/0"))
