"""The checker's own judgement of inbound records agrees with the published models."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from checker.readable import Verdict, judge
from checker.record import LogRecord
from checker.rows import PageRow
from schemas import inbound

PAGES = {"messenger:shop": PageRow("messenger:shop", "acme", "main", 0)}
MODELS: dict[str, type[BaseModel]] = {
    "message": inbound.Message,
    "postback": inbound.Postback,
    "echo": inbound.Echo,
    "reaction": inbound.Reaction,
    "edit": inbound.Edit,
    "profile": inbound.Profile,
    "other": inbound.Other,
}
BASE: dict[str, Any] = {"channel": "messenger", "account": "shop", "user": "u1"}
SAID = BASE | {"channel_message_id": "m1", "text": "Chào"}


def record(value: object, *, what: str = "message", key: str = "messenger:shop:u1") -> LogRecord:
    """An inbound record."""
    content = value if isinstance(value, bytes) else orjson.dumps(value)
    return LogRecord(
        0, 7, 10_000, key.encode(), content, (("ce_type", f"tongdai.inbound.{what}.v1".encode()),)
    )


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["a\x00", "a\nb", ":", "", "Acme", "acme", "vi", "bot", "x" * 600, "y" * 20_001]),
    st.just([]),
    st.just([{"type": "image", "url": "https://example.com/1.png"}]),
    st.just([{"type": "location", "latitude": 10, "longitude": 106.7, "name": None}]),
    st.just([{"url": "x"}]),
    st.just([{"type": ""}]),
    st.just([{"type": "a\tb"}]),
    st.just([{"type": "image", "size": 3}]),
    st.just([{"type": "image"}] * 33),
    st.sampled_from(["page", "female", "1994-05-17", "1994-02-30", "19940517"]),
    st.just({"source": "ADS", "title": ""}),
    st.just({"source": "ADS", "ref": None}),
    st.dictionaries(st.text(max_size=3), st.booleans(), max_size=2),
)
NAMES = [
    *SAID,
    "workspace",
    "sent_at_ms",
    "raw",
    "attachments",
    "customer_name",
    "customer_picture",
    "referral",
    "language",
    "standby",
    "payload",
    "author",
    "author_id",
    "of",
    "by",
    "emoji",
    "number",
    "name",
    "phone",
    "birthday",
    "gender",
    "follows",
    "event",
    "surprise",
]


@given(st.sampled_from(sorted(MODELS)), st.dictionaries(st.sampled_from(NAMES), ODD, max_size=3), st.data())
def test_the_judgement_agrees_with_the_models(what: str, odd: dict[str, Any], data: st.DataObject) -> None:
    needed = {
        "postback": {"payload": "buy"},
        "echo": {"author": "human"},
        "reaction": {"of": "m1"},
        "edit": {"of": "m1", "text": "Chào"},
        "other": {"event": "read"},
    }
    value = (SAID if what in {"message", "postback", "echo"} else BASE) | needed.get(what, {}) | odd
    for name in data.draw(st.sets(st.sampled_from(sorted(value)), max_size=1)):
        del value[name]
    try:
        MODELS[what].model_validate_json(orjson.dumps(value))
        expected = True
    except ValidationError:
        expected = False
    key = f"{value.get('channel')}:{value.get('account')}:{value.get('user')}"
    pages = {
        f"{value.get('channel')}:{value.get('account')}": PageRow("p", value.get("workspace") or "w", "d", 0)
    }
    judged = judge(record(value, what=what, key=key), pages)
    assert (judged.verdict is not Verdict.REFUSED) == expected, judged.why


@pytest.mark.parametrize(
    ("what", "value", "key", "verdict"),
    [
        ("message", SAID, "messenger:shop:u1", Verdict.READABLE),
        ("message", SAID, "messenger:shop:u2", Verdict.REFUSED),
        ("message", SAID | {"account": "else"}, "messenger:else:u1", Verdict.REFUSED),
        ("message", SAID | {"workspace": "acme"}, "messenger:shop:u1", Verdict.READABLE),
        ("message", SAID | {"workspace": "other"}, "messenger:shop:u1", Verdict.REFUSED),
        ("message", SAID | {"channel": "Messenger"}, "Messenger:shop:u1", Verdict.REFUSED),
        ("unheard", SAID, "messenger:shop:u1", Verdict.REFUSED),
        ("other", BASE | {"event": "read"}, "messenger:shop:u1", Verdict.SKIPPED),
        ("reaction", BASE | {"of": "m1"}, "messenger:shop:u1", Verdict.SKIPPED),
        ("profile", BASE | {"account": "else"}, "messenger:else:u1", Verdict.REFUSED),
        ("message", b"{", "messenger:shop:u1", Verdict.REFUSED),
        ("message", b"", "messenger:shop:u1", Verdict.REFUSED),
        ("message", b"[1]", "messenger:shop:u1", Verdict.REFUSED),
        ("message", b"[" * 5_000 + b"]" * 5_000, "messenger:shop:u1", Verdict.EITHER),
        ("message", b'{"channel": NaN}', "messenger:shop:u1", Verdict.EITHER),
    ],
)
def test_what_must_become_of_a_record(what: str, value: object, key: str, verdict: Verdict) -> None:
    assert judge(record(value, what=what, key=key), PAGES).verdict is verdict


def test_a_page_registered_about_then_may_or_may_not_have_been_known() -> None:
    pages = {"messenger:shop": PageRow("messenger:shop", "acme", "main", 9_000)}
    assert judge(record(SAID), pages).verdict is Verdict.EITHER
