"""Lines of the log: one JSON object each, our own and the libraries' alike, without texts or secrets."""

from __future__ import annotations

import json
import logging
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from config import repetition
from config.log import LogSettings
from config.logging import configure_logging, get_logger
from config.redaction import MASK, MAX_STRING_CHARS, redact, redact_string
from config.repetition import AGAIN_S, KINDS_MAX, Repetition

pytestmark = pytest.mark.usefixtures("log_restored")


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Without what asyncio says of tasks that tests before left behind, whenever Python finds them."""
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = [json.loads(line) for line in captured.err.splitlines()]
    return [line for line in lines if line["logger"] != "asyncio"]


def test_a_line_says_when_where_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="json"))
    with bound_contextvars(workspace="hoa-mai", conversation="zalo:1:2", lane=3, batch_no=4):
        get_logger("workers.x").info("batch done", records=5)
    get_logger("workers.x").info("after")
    first, second = _lines(capsys)
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "batch done",
        "level": "info",
        "logger": "workers.x",
        "workspace": "hoa-mai",
        "conversation": "zalo:1:2",
        "lane": 3,
        "batch_no": 4,
        "records": 5,
    }
    assert "lane" not in second


def test_libraries_use_the_same_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="json"))
    logging.getLogger("uvicorn.error").info("started on port %d", 80, extra={"token": "t"})
    logging.getLogger("aiokafka.client").info("noise")
    logging.getLogger("aiokafka.client").warning("lost postgresql://u:hunter2@h/d")
    uvicorn, kafka = _lines(capsys)
    assert (uvicorn["event"], uvicorn["token"]) == ("started on port 80", MASK)
    assert kafka["event"] == f"lost postgresql://u:{MASK}@h/d"


def test_what_a_client_of_kafka_repeats_is_told_now_and_then_with_how_often(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logging(LogSettings(format="json"))
    for now_s in (0.0, 0.02, AGAIN_S - 0.02, AGAIN_S):
        monkeypatch.setattr(repetition, "time", SimpleNamespace(monotonic=partial(float, now_s)))
        logging.getLogger("aiokafka.consumer").error("no broker %s", 0)
        logging.getLogger("uvicorn.error").error("no broker %s", 0)
    logging.getLogger("aiokafka.consumer").error("no broker %s", 1)
    said = [line["event"] for line in _lines(capsys) if line["logger"] == "aiokafka.consumer"]
    assert said == ["no broker 0", "no broker 0 (2 more times before)", "no broker 1"]


def test_of_texts_without_end_no_more_are_remembered_than_there_is_room_for() -> None:
    found = Repetition("aiokafka")
    for number in range(3 * KINDS_MAX):
        line = logging.LogRecord("aiokafka", logging.ERROR, "", 0, f"{number}", None, None)
        assert found.filter(line)
    assert len(found) <= KINDS_MAX


def test_an_exception_is_told_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="json"))
    try:
        int("postgresql://u:hunter2@h/d")
    except ValueError:
        get_logger("x").exception("failed")
    (line,) = _lines(capsys)
    assert "ValueError" in line["exception"]
    assert "hunter2" not in str(line)


def test_the_level_is_the_one_that_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="json", level="error"))
    get_logger("x").warning("no")
    logging.getLogger("aiokafka").warning("no")
    get_logger("x").error("yes")
    assert [line["event"] for line in _lines(capsys)] == ["yes"]


def test_libraries_that_tell_secrets_are_quiet_whatever_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="json", level="debug"))
    logging.getLogger("aiokafka.conn").debug("SaslAuthenticateRequest(b'hunter2')")
    logging.getLogger("httpx").info("POST https://graph.example/me?access_token=hunter2")
    logging.getLogger("aiokafka.client").debug("anything else")
    assert [line["event"] for line in _lines(capsys)] == ["anything else"]


def test_a_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="console"))
    get_logger("x").info("batch done", text="xin chào", records=5)
    line = capsys.readouterr().err
    assert "batch done" in line
    assert "records=5" in line
    assert "xin chào" not in line


def test_auto_without_a_terminal_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings())
    get_logger("x").info("done", at={1, 2})
    assert _lines(capsys)[0]["event"] == "done"


def test_texts_and_secrets_are_masked_at_any_depth() -> None:
    event = {
        "text": "xin chào",
        "raw": {"a": 1},
        "app_secret": "s",
        "Password": "p",
        "token": None,
        "text_size_bytes": 9,
        "value": b"xin",
        "inside": [{"access_token": "t", "ok": 1}],
    }
    assert redact(None, "info", dict(event)) == {
        "text": MASK,
        "raw": MASK,
        "app_secret": MASK,
        "Password": MASK,
        "token": None,
        "text_size_bytes": 9,
        "value": "<3 bytes>",
        "inside": [{"access_token": MASK, "ok": 1}],
    }


def test_what_refers_to_itself_ends() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "nested too deeply" in str(redact(None, "info", {"x": endless}))


def test_a_long_string_is_cut() -> None:
    assert len(redact_string("x" * 1_000_000)) < MAX_STRING_CHARS + 20
