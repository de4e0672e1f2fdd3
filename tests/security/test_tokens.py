"""Forged and bent tokens. Refresh tokens that come back, who is disabled: tests/gateway/test_accounts.py."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import jwt
import orjson
import pytest

from workers.gateway.service_tokens import read_service_token
from workers.gateway.tokens import Claims, Tokens, WrongTokenError

KEY = "k" * 64
TOKENS = Tokens(KEY, access_s=600, refresh_s=86_400)


def claims(**changes: object) -> dict[str, Any]:
    """What a good access token says, with changes; None leaves one out."""
    at = int(datetime.now(UTC).timestamp())
    said = {
        "iss": "tongdai",
        "aud": "access",
        "iat": at,
        "exp": at + 600,
        "sub": "lan",
        "ws": "shop",
        "sid": str(uuid4()),
        "gen": 0,
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def unsigned(header: dict[str, Any], said: dict[str, Any], signature: str = "") -> str:
    parts = (base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in (header, said))
    return ".".join((*parts, signature))


def refused(token: str, kind: Literal["access", "refresh"] = "access") -> bool:
    try:
        TOKENS.read(kind, token)
    except WrongTokenError:
        return True
    return False


def test_what_is_not_signed_by_our_key_and_our_way_is_none_of_ours() -> None:
    good = jwt.encode(claims(), KEY, algorithm="HS256")
    assert not refused(good)
    header, said, signature = good.split(".")
    other = base64.urlsafe_b64encode(orjson.dumps(claims(ws="rival", sub="chu"))).rstrip(b"=").decode()
    for forged in (
        unsigned({"alg": "none", "typ": "JWT"}, claims()),
        unsigned({"alg": "None"}, claims()),
        unsigned({"alg": "none"}, claims(), signature),
        jwt.encode(claims(), KEY, algorithm="HS512"),
        jwt.encode(claims(), "x" * 64, algorithm="HS256"),
        f"{header}.{other}.{signature}",
        f"{header}.{said}.",
        f"{header}.{said}",
        # A header may name a key, or bring one: neither is looked at.
        jwt.encode(claims(), "y" * 32, algorithm="HS256", headers={"kid": "/dev/null", "jwk": {"k": "eXl5"}}),
    ):
        assert refused(forged), forged


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "sub", "ws", "sid", "gen"])
def test_a_token_says_all_or_nothing(name: str) -> None:
    assert refused(jwt.encode(claims(**{name: None}), KEY, algorithm="HS256"))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "refresh"},
        {"aud": ["refresh", "other"]},
        {"iss": "another"},
        {"exp": 1},
        {"sid": "no uuid"},
        {"sid": 7},
        {"gen": "x"},
        {"gen": []},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
    ],
    ids=str,
)
def test_a_token_for_something_else_or_another_time_is_refused(changes: dict[str, Any]) -> None:
    assert refused(jwt.encode(claims(**changes), KEY, algorithm="HS256"))


def test_a_refresh_token_opens_nothing_and_an_access_token_refreshes_nothing() -> None:
    until = datetime.now(UTC) + timedelta(days=1)
    of = Claims("shop", "lan", uuid4(), 1, until)
    assert refused(TOKENS.refresh(of), "access")
    assert refused(TOKENS.access(of.workspace, of.login, of.sign_in), "refresh")


@pytest.mark.parametrize(
    "token",
    ["tds_", "tds_a.b", "tds_a.b.c.d", "TDS_a.b.c", "a.b.c", "tds_..", "tds_a..c", " tds_a.b.c"],
)
def test_a_service_token_has_one_form(token: str) -> None:
    found = read_service_token(token)
    # What has the form names nobody: Postgres is asked with it as a value, and digests are compared.
    assert found is None or (found.workspace, found.service) in {("", ""), ("a", "")}
