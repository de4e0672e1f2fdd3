"""What customers, agents and connectors write reaches operators' terminals as text, never as commands."""

from __future__ import annotations

import logging

import orjson
import pytest
from aiokafka import ConsumerRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from config.log import LogSettings
from config.logging import configure_logging, get_logger
from config.printable import printable, printable_json
from tests.cli.test_tail import assignments, messages, seen
from workers.cli.dead_letter import summarise
from workers.cli.deadletter_command import _row
from workers.cli.explain_command import _stands, sentence
from workers.cli.output import print_json, print_table
from workers.cli.printable import readable, shortened

# ESC [ 2 J, ESC [ in one letter, a title, a bell, a return, letters turned round, a backspace, a NUL.
EVIL = "a\x1b[2Jb\x9b31mc\x1b]0;title\x07d\re\u202ef\x08g\x00h"
COMMANDS = set(EVIL) - set("abcdefgh[2J31m]0;title")


def obeys(text: str) -> set[str]:
    """What of a text a terminal would obey; lines and columns are ours."""
    return {one for one in text if not one.isprintable()} - {"\n", "\t"}


def test_the_evil_text_is_one() -> None:
    assert obeys(EVIL) == COMMANDS


@given(st.text())
def test_whatever_is_shown_is_obeyed_by_no_terminal(text: str) -> None:
    assert obeys(printable(text, lines=True)) == set()
    assert printable(text).isprintable()
    assert len(shortened(text, 10)) <= 10
    assert readable(text.encode(errors="surrogatepass")).isprintable()


@settings(max_examples=30)
@given(st.recursive(st.text(max_size=20), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_says_the_same_without_commands(value: object) -> None:
    plain = orjson.dumps(value).decode()
    shown = printable_json(plain)
    assert orjson.loads(shown) == value
    assert not COMMANDS & set(shown)


def test_tail_shows_no_commands_of_whoever_wrote() -> None:
    fields = (
        "workspace",
        "key",
        "holder",
        "former_holder",
        "audience",
        "care",
        "sender_id",
        "text",
        "at",
        "rule",
    )
    for one in (*assignments(), *messages()):
        shown = seen(one, **dict.fromkeys(fields, EVIL))
        assert obeys(shown.text()) == set()
        assert obeys(shown.json()) == set()
        assert orjson.loads(shown.json())["value"]["text"] == EVIL


def test_explain_shows_none() -> None:
    """`explain` makes all that it says printable; what it says of evil events, at least, can be said."""
    why = {
        "method": EVIL,
        "rule": EVIL,
        "rule_version": 1,
        "by": EVIL,
        "exceeds": [EVIL],
        "passed_over": {EVIL: 1},
    }
    event = {"what": "assigned", "holder": EVIL, "why": why, "standing": EVIL, "care": EVIL, "round": 1}
    for said in (sentence(event), _stands(event)):
        assert obeys(said)
        assert obeys(printable(said)) == set()


def test_dead_letters_and_tables_show_none(capsys: pytest.CaptureFixture[str]) -> None:
    named = [(f"deadletter_{name}", EVIL.encode()) for name in ("reason", "detail", "topic", "worker")]
    record: ConsumerRecord = ConsumerRecord(
        topic="t", partition=1, offset=2, timestamp=0, timestamp_type=0, key=EVIL.encode(),
        value=EVIL.encode(), checksum=None, serialized_key_size=0, serialized_value_size=0,
        headers=tuple(named),
    )  # fmt: skip
    print_table(("id", "reason", "from", "age", "detail"), [_row(summarise(record), 0.0)])
    print_table(("name",), [(EVIL,)])
    print_json({"name": EVIL})
    assert obeys(capsys.readouterr().out) == set()


@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.usefixtures("log_restored")
def test_no_line_of_the_log_commands_or_begins_another(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings.model_validate({"format": form}))
    forged = "\n2026-11-22T08:00:00Z [info] admin signed in"
    get_logger("x").warning("refused", why=EVIL + forged, inside=[{"deep": EVIL}])
    logging.getLogger("aiokafka.client").warning("%s", EVIL + forged)
    told = capsys.readouterr().err
    assert told.count("\n") == 2
    assert obeys(told) == set()
