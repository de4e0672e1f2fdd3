"""What people type never becomes a part of a statement, of a header or of what was signed.

Terminals and the log: test_terminals.py. Searches on a database: tests/gateway/test_queries.py.
"""

from __future__ import annotations

import re
import string

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.ingress import ZaloApp
from tests.channels.webhooks import ZALO_APP_ID, zalo, zalo_event
from workers.channels.problem import MalformedError, WrongSignatureError
from workers.channels.zalo import Zalo
from workers.gateway.answers import response_of
from workers.gateway.asking import KEY_PATTERN
from workers.gateway.queries.filters import Asked, conditions, window
from workers.gateway.queries.parameters import Parameters
from workers.gateway.queries.scope import Scope

EVIL = "x' OR 1=1; DROP TABLE account; --"
WORDS = st.text(alphabet=string.ascii_letters + "'\";-()$%:&|!*", min_size=5, max_size=40)
SCOPE = Scope("sh'op", "la'n", "ma'in", frozenset({"p'1"}), frozenset({"a'1"}), False, frozenset({"p'1"}))


@given(q=WORDS, text=WORDS, tag=WORDS, group=WORDS)
def test_no_word_of_a_search_stands_in_its_statement(q: str, text: str, tag: str, group: str) -> None:
    asked = Asked.model_construct(
        q=f"<{q}>", text=f"<{text}>", tag=(f"<{tag}>",), group=(f"<{group}>",), page=("pa'ge:<1>",),
        channel=("zalo",), care=("accepted",), unread=True,
    )  # fmt: skip
    parameters = Parameters()
    statement = " ".join([*window(asked, None, parameters), *conditions(asked, SCOPE, parameters)])
    assert "<" not in statement.replace("stored_at <", "").replace("< (", "")
    assert "'op" not in statement
    assert "la'n" not in statement
    said = repr(parameters.values)
    assert all(f"<{word}>" in str(parameters.values) or repr(f"<{word}>")[1:-1] in said for word in (q, text))
    places = {int(number) for number in re.findall(r"\$(\d+)", statement)}
    assert places <= set(range(1, len(parameters.values) + 1))


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=200))
def test_a_key_of_any_characters_makes_one_header_of_one_line(key: str) -> None:
    assert re.fullmatch(KEY_PATTERN, key)
    location = response_of(None, key).headers["location"]
    assert re.fullmatch(r"/api/v1/outcomes/[A-Za-z0-9_.~%-]+", location)


@pytest.mark.parametrize("cut", range(1, 14))
def test_what_zalo_signed_cannot_be_cut_in_another_place(cut: int) -> None:
    """It signs app, body, time and secret without anything between them."""
    app = {"app_id": ZALO_APP_ID, "secret_key": "the app's", "oa_secret_key": "oa_secret_abc"}
    channel = Zalo([_app(app), _app({**app, "app_id": ZALO_APP_ID[:cut]})])
    signed = zalo(zalo_event(message={"msg_id": "1", "text": EVIL}))
    assert channel.open(signed.headers, signed.body)
    time = "1543908534740"
    shorter = {**orjson.loads(signed.body), "timestamp": time[cut:]}
    forged = (
        signed.body + time[:cut].encode(),
        orjson.dumps(shorter) + time[:cut].encode(),
        ZALO_APP_ID[cut:].encode() + signed.body,
        orjson.dumps(shorter),
    )
    for body in forged:
        with pytest.raises((MalformedError, WrongSignatureError)):
            channel.open(signed.headers, body)


def _app(values: dict[str, str]) -> ZaloApp:
    return ZaloApp.model_validate(values)
