"""Exchanging a Zalo refresh token, which is good for one use. Source: Zalo OAuth v4, access_token."""

from __future__ import annotations

from typing import NamedTuple

import httpx

from config.settings import Settings
from workers.channels.delivery.posting import Answer, post
from workers.channels.delivery.result import Failed, NotBegun, Unanswered
from workers.channels.fields import identifier

LIFE_S = 90_000.0
"""Of an access token, as documented; what the answer says counts."""
_BUSY = {-32}


class Pair(NamedTuple):
    """An access token, and the refresh token for the next exchange. Both are secrets."""

    access: str
    refresh: str
    life_s: float


class Again(NamedTuple):
    """It did not work now; whether the refresh token is used up may be unknown."""

    why: str


class Spent(NamedTuple):
    """The refresh token is not taken: somebody must sign in anew."""

    why: str


Exchange = Pair | Again | Spent


class ZaloTokens:
    """Asks Zalo for pairs.

    Args:
        client: whose connections are used.
        settings: where Zalo is, and the apps' secrets.
    """

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings.delivery
        self._secrets = {app.app_id: app.secret_key.get_secret_value() for app in settings.ingress.zalo_apps}

    async def exchange(self, app: str | None, refresh: str) -> Exchange:
        """Another pair for this refresh token. Raises nothing but CancelledError."""
        secret = self._secrets.get(app or "")
        if secret is None:
            return Again(f"the settings know no Zalo app {app}")
        request = self._client.build_request(
            "POST",
            f"{self._settings.zalo_oauth_url}/v4/oa/access_token",
            headers={"secret_key": secret},
            data={"refresh_token": refresh, "app_id": app, "grant_type": "refresh_token"},
        )
        answer = await post(self._client, self._settings.request_timeout_s, request)
        match answer:
            case Answer():
                return _read(answer)
            case NotBegun():
                return Again("no connection was free")
            case Unanswered(why=why) | Failed(detail=why):
                return Again(why)


def _read(answer: Answer) -> Exchange:
    access, refresh = (identifier(answer.body.get(name)) for name in ("access_token", "refresh_token"))
    if access and refresh:
        return Pair(access, refresh, _seconds(answer.body.get("expires_in")))
    code = answer.body.get("error")
    why = f"HTTP {answer.status}, error {code}"
    if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR or not isinstance(code, int) or code in _BUSY:
        return Again(why)
    return Spent(why)


def _seconds(value: object) -> float:
    """`expires_in` is text, in seconds."""
    text = str(value)
    return float(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 else LIFE_S
