"""The demo's own apps of Messenger and Zalo, and its bot of FChat: secrets that live as long as one run."""

from __future__ import annotations

import secrets
from typing import Any

import orjson
from pydantic import SecretStr

from config.ingress import FchatBot, IngressSettings, MessengerApp, ZaloApp
from config.problem import variable

APP = "demo"
BOT = "hoa-sen-bot"
"""The account of the sample's page of FChat."""
ROOM = 4
"""The ingress takes so many times the rate: retries and odd events come on top."""


def invent_apps() -> IngressSettings:
    """Return settings of an ingress with one app of each channel, their secrets drawn now."""
    return IngressSettings(
        messenger_apps=(MessengerApp(name=APP, app_secret=_secret(), verify_token=_secret()),),
        zalo_apps=(ZaloApp(app_id=APP, secret_key=_secret()),),
        fchat_bots=(FchatBot(account=BOT, path_token=_secret(), attributes={}),),
    )


def ingress_variables(apps: IngressSettings, rate_per_s: float) -> dict[str, str]:
    """Return the variables of an ingress with these apps to which one address may post, of any page."""
    limit = max(apps.rate_per_s, ROOM * rate_per_s)
    return {
        variable("ingress", "host"): apps.host,
        variable("ingress", "messenger_apps"): _json(app.model_dump() for app in apps.messenger_apps),
        variable("ingress", "zalo_apps"): _json(app.model_dump(exclude_none=True) for app in apps.zalo_apps),
        variable("ingress", "fchat_bots"): _json(bot.model_dump() for bot in apps.fchat_bots),
        variable("ingress", "rate_per_s"): str(limit),
        variable("ingress", "rate_burst"): str(max(apps.rate_burst, int(2 * limit))),
        variable("ingress", "page_rate_per_s"): str(limit),
        variable("ingress", "page_rate_burst"): str(max(apps.page_rate_burst, int(2 * limit))),
    }


def _secret() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(24))


def _json(apps: Any) -> str:  # noqa: ANN401 - any iterable of plain values
    return orjson.dumps(list(apps), default=_revealed).decode()


def _revealed(secret: object) -> str:
    if isinstance(secret, SecretStr):
        return secret.get_secret_value()
    raise TypeError(type(secret).__name__)
