"""What a customer wrote stands in no log, dead letter or answer, whatever error is raised over it."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import orjson
import pytest
from aiokafka.errors import KafkaConnectionError
from pydantic import BaseModel

from config.error_text import told, traced, whereabouts
from config.errors import DependencyError
from config.log import LogSettings
from config.logging import configure_logging, get_logger
from config.redaction import redact
from workers.runtime.failures import LaneFailedError

WORDS = "số thẻ của chị là 9704"
WORKERS = Path(__file__).parents[2] / "workers"
SHOWN_AS_TEXT = re.compile(r"\blog\.\w+\([^)]*=(?:repr|str)\((?:error|e|exc|result)\)", re.DOTALL)
OWN_SETTINGS = {
    "signing_key_not_kept",
    "no_key_for_tokens",
    "attachments_without_key",
    "webhooks_without_key",
}
"""Lines that tell a ConfigurationError's words: those of a setting."""


class Said(BaseModel):
    """As customers' words come in."""

    text: int


def postgres(code: str, **fields: str) -> Exception:
    """As the server tells it."""
    error: Exception = asyncpg.PostgresError.new({"S": "ERROR", "C": code, **fields})
    return error


def row_refused() -> None:
    """What a constraint says of a whole row."""
    raise postgres(
        "23514",
        M=f"refused {WORDS}",
        D=f"Failing row contains (lan, {WORDS}).",
        t="message",
        n="message_check",
    )


def argument_refused() -> None:
    """What asyncpg says of an argument that it cannot encode."""
    raise asyncpg.DataError(f"invalid input for query argument $1: '{WORDS}'")


def input_refused() -> None:
    """What pydantic says of its input."""
    Said.model_validate({"text": WORDS})


def key_missing() -> None:
    """What a dictionary says."""
    held: dict[str, str] = {}
    _ = held[WORDS]


def in_consequence() -> None:
    """One error over another."""
    try:
        row_refused()
    except asyncpg.PostgresError as error:
        raise RuntimeError(WORDS) from error


def together() -> None:
    """What a task group says."""
    raise ExceptionGroup(WORDS, [caught(key_missing), caught(in_consequence)])


def caught(fails: Callable[[], None]) -> Exception:
    """What it raises."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - any
        fails()
    return raised.value


FAILURES = (row_refused, argument_refused, input_refused, key_missing, in_consequence, together)
each_failure = pytest.mark.parametrize("fails", FAILURES, ids=lambda fails: fails.__name__)


@each_failure
def test_an_error_is_told_without_the_words_it_was_raised_over(fails: Callable[[], None]) -> None:
    error = caught(fails)
    for shown in (told(error), traced(error), str(LaneFailedError(3, error))):
        assert type(error).__name__ in shown
        assert WORDS not in shown
    assert f"in {fails.__name__}\n" in traced(error)


@each_failure
@pytest.mark.usefixtures("log_restored")
def test_the_log_has_an_error_without_its_words_however_it_is_written(
    fails: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(LogSettings(format="json"))
    error = caught(fails)
    get_logger("workers.x").warning("waits", error=error, inside=[{"why": error}])
    get_logger("workers.x").error("failed", exc_info=error)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
    loop = asyncio.new_event_loop()
    loop.default_exception_handler({"message": "never retrieved", "exception": error, "future": error})
    loop.close()
    logging.getLogger("library").error("nothing was raised", exc_info=(None, None, None))
    written = capsys.readouterr().err
    lines = [orjson.loads(line) for line in written.splitlines()]
    assert [line["event"] for line in lines[:1]] == ["waits"]
    assert lines[3]["event"] == "never retrieved"
    assert all(f"in {fails.__name__}\n" in line["exception"] for line in lines[1:4])
    assert WORDS not in "".join(str(line) for line in lines)


def test_what_an_operator_needs_is_told() -> None:
    assert told(caught(row_refused)) == "CheckViolationError 23514 (message, message_check)"
    assert told(caught(input_refused)) == "ValidationError of Said (int_parsing)"
    assert told(caught(in_consequence)) == (
        "RuntimeError, from CheckViolationError 23514 (message, message_check)"
    )
    missing = postgres("42P01", M='relation "lane" does not exist')
    assert told(missing) == 'UndefinedTableError 42P01: relation "lane" does not exist'
    assert told(KafkaConnectionError("no broker")) == "KafkaConnectionError: no broker"
    assert told(ConnectionRefusedError(111, "refused")) == "ConnectionRefusedError: [Errno 111] refused"
    assert told(DependencyError("Kafka is down")) == "DependencyError: Kafka is down"
    assert told(asyncpg.InterfaceError("connection is closed")) == "InterfaceError: connection is closed"


def test_it_is_told_which_line_of_ours_has_failed() -> None:
    def not_text() -> None:
        redact(None, "info", None)  # type: ignore[arg-type]

    assert re.fullmatch(r"config/redaction\.py:\d+", whereabouts(caught(not_text)))
    assert whereabouts(caught(key_missing)) == ""


def test_an_error_that_goes_round_in_a_circle_or_deep_down_is_told() -> None:
    one, other = KeyError("1"), KeyError("2")
    one.__cause__, other.__cause__ = other, one
    assert told(one).count("KeyError") == 5

    def deep(levels: int) -> None:
        deep(levels - 1)

    error = caught(lambda: deep(sys.getrecursionlimit() * 2))
    assert len(traced(error)) < 8_000


def test_no_line_of_the_log_makes_text_of_an_error_itself() -> None:
    """`error=error` is told by the log; `error=repr(error)` would hide from it that it is one."""
    for path in sorted(WORKERS.rglob("*.py")):
        for found in SHOWN_AS_TEXT.findall(path.read_text().replace("_log.", "log.")):
            assert any(name in found for name in OWN_SETTINGS), (path, found)
