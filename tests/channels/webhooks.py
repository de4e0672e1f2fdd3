"""Signed webhooks as the platforms send them, for the tests of the ingress."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, NamedTuple

import orjson

APP_SECRET = "app_secret_123"
VERIFY_TOKEN = "mytoken"
ZALO_APP_ID = "3608465248940903967"
ZALO_SECRET = "oa_secret_abc"
FCHAT_TOKEN = "a-token-that-nobody-can-guess-of-fchat"

PAGE = "1"
OA = "388613280878808645"

APPS: dict[str, Any] = {
    "messenger_apps": [
        {"name": "other", "app_secret": "another secret", "verify_token": "another token"},
        {"name": "ours", "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN},
    ],
    "zalo_apps": [
        {"app_id": "1", "secret_key": "another secret"},
        {"app_id": ZALO_APP_ID, "secret_key": "the app's", "oa_secret_key": ZALO_SECRET},
    ],
    "fchat_bots": [{"account": "hoa-sen", "path_token": FCHAT_TOKEN}],
}
"""Two apps of Messenger and Zalo, ours is the second; and a bot of FChat's."""


class Signed(NamedTuple):
    """A request's body and headers."""

    body: bytes
    headers: dict[str, str]


def sign_messenger(body: bytes, secret: str = APP_SECRET) -> Signed:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Signed(body, {"x-hub-signature-256": f"sha256={digest}", "content-type": "application/json"})


def sign_zalo(body: bytes, timestamp: str, secret: str = ZALO_SECRET, app_id: str = ZALO_APP_ID) -> Signed:
    digest = hashlib.sha256(app_id.encode() + body + timestamp.encode() + secret.encode()).hexdigest()
    return Signed(body, {"x-zevent-signature": f"mac={digest}", "content-type": "application/json"})


def messenger(*events: object, page: str = PAGE) -> Signed:
    """A webhook with these `messaging` events of one page."""
    entry = {"id": page, "time": 1458692752478, "messaging": list(events)}
    return sign_messenger(orjson.dumps({"object": "page", "entry": [entry]}))


def said(
    mid: str = "m_1", text: str | None = "xin chào", user: str = "U", **message: object
) -> dict[str, Any]:
    """A customer's message."""
    return from_user(user, message={"mid": mid, **({} if text is None else {"text": text}), **message})


def from_user(user: str = "U", **event: object) -> dict[str, Any]:
    """A `messaging` event that a customer sent to the page."""
    return {"sender": {"id": user}, "recipient": {"id": PAGE}, "timestamp": 1458692752478, **event}


def zalo_event(
    event_name: str = "user_send_text", user: str = "246845883529197922", **event: object
) -> dict[str, Any]:
    """An event that a customer caused."""
    return {
        "app_id": ZALO_APP_ID,
        "event_name": event_name,
        "sender": {"id": user},
        "recipient": {"id": OA},
        "timestamp": "1543908534740",
        **event,
    }


def zalo(event: dict[str, Any]) -> Signed:
    return sign_zalo(orjson.dumps(event), str(event.get("timestamp", "")))
