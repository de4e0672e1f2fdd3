"""The HTTP ingress and the apps of the channels whose webhooks it takes."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from config.keys import Key
from config.networks import THIS_MACHINE, Networks
from config.section import Port, PositiveInt, PositiveSeconds, Secret, Section, sendable

MAX_APPS = 1_000
"""Apps per channel: a Messenger signature is tried with each app's secret, so there is a limit."""


def _filled(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("is empty: anybody could sign with it")
    return secret


Signing = Annotated[Secret, AfterValidator(_filled)]
"""A secret that a platform signs with, or shows. An empty one would be everybody's."""
AppsPages = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=128)], ...], Field(min_length=1, max_length=10_000)
]
"""Accounts for which an app may speak."""
AttributeName = Annotated[str, Field(min_length=1, max_length=100)]


class MessengerApp(Section):
    """A Facebook app: `app_secret` signs its webhooks, `verify_token` answers the subscription challenge.

    `app_id` tells whether a thread that a bot hands over is handed to this app, where others share the page.
    """

    name: Annotated[str, Field(min_length=1, max_length=63)] = "messenger"
    """What we call it: `tongdai pages connect … --app NAME`."""
    app_id: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    """Facebook's id of it."""
    app_secret: Signing
    """Signs its webhooks, and proves our calls."""
    verify_token: Signing
    """Answers the challenge when the webhook is subscribed."""
    pages: AppsPages | None = None
    """Facebook's ids of the only pages for which this app may speak; unset: for any."""


class ZaloApp(Section):
    """A Zalo app, chosen by `app_id`; `oa_secret_key` signs where the OA has a key of its own."""

    app_id: Annotated[str, Field(min_length=1, max_length=63)]
    """Zalo's id of it: `tongdai pages connect … --app ID`."""
    secret_key: Annotated[Signing, AfterValidator(sendable)]
    """Signs its webhooks, and exchanges tokens."""
    oa_secret_key: Signing | None = None
    """Signs instead where the account has a key of its own."""
    signs_with: Literal["app_id", "oa_id"] = "app_id"
    """Whose id stands first in what is signed: the app's, as documented, or the account's, as guides say."""
    pages: AppsPages | None = None
    """Zalo's ids of the only accounts for which this app may speak; unset: for any."""


FCHAT_ATTRIBUTES = {
    "user": "user_id",
    "text": "text",
    "image": "image",
    "payload": "payload",
    "from": "from",
    "name": "name",
    "picture": "picture",
    "phone": "phone",
    "email": "email",
    "message_id": "message_id",
    "sent_at": "sent_at",
}
"""What a block of FChat's may send, by our words for it: so it is called unless a bot says otherwise."""
FchatAttribute = Literal[
    "user", "text", "image", "payload", "from", "name", "picture", "phone", "email", "message_id", "sent_at"
]


class FchatBot(Section):
    """A bot of FChat's, the page `fchat:<account>`: whoever calls `/v1/webhooks/fchat/<path_token>`."""

    account: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f:]+$")]
    """The page is `fchat:<account>`."""
    path_token: Key
    """Whoever calls `/v1/webhooks/fchat/<path_token>` is this bot."""
    attributes: Annotated[dict[FchatAttribute, AttributeName], Field(default_factory=dict)]
    """What its block calls these, where that is not what we do."""


def parse_list(value: object) -> object:
    """A list that was written as JSON; anything but a text stays as it is. Raises ValueError."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f'is not a JSON list such as [{{"…": "env:NAME"}}]: {error}') from error


class IngressSettings(Section):
    """Of the ingress: where webhooks are taken, how large and how many. The apps are delivery's and `tongdai
    pages`'s, too."""

    host: str = "127.0.0.1"
    """Where it listens."""
    port: Port = 8080
    """Where it listens; also `/healthz`, `/readyz` and `/metrics`."""
    proxies: Networks = THIS_MACHINE
    """Addresses and networks of the proxies before it, whose X-Forwarded-For says where clients are."""
    body_limit_bytes: Annotated[int, Field(ge=1_024, le=983_040)] = 983_040
    """Of a webhook's body. A record on Kafka has at most 1 MiB; 64 KiB of it are kept for what is written
    around the body."""
    rate_per_s: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] = 1_000.0
    """Requests of one address, openings of sockets included; what is more is refused with 429."""
    rate_burst: PositiveInt = 2_000
    """So many at once."""
    page_rate_per_s: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] = 500.0
    """Events of one page, at each ingress; what is more is answered 503 and comes again."""
    page_rate_burst: PositiveInt = 5_000
    """So many at once."""
    publish_deadline_s: Annotated[PositiveSeconds, Field(lt=2)] = 1.5
    """After so long without Kafka's word a webhook is answered 503. Zalo wants its answer within 2 s."""
    messenger_apps: Annotated[
        tuple[MessengerApp, ...], NoDecode, BeforeValidator(parse_list), Field(max_length=MAX_APPS)
    ] = ()
    """A JSON list of [Messenger apps](channels.md#messenger); delivery proves calls with them."""
    zalo_apps: Annotated[
        tuple[ZaloApp, ...], NoDecode, BeforeValidator(parse_list), Field(max_length=MAX_APPS)
    ] = ()
    """A JSON list of [Zalo apps](channels.md#zalo-official-account); delivery exchanges tokens with them."""
    fchat_bots: Annotated[
        tuple[FchatBot, ...], NoDecode, BeforeValidator(parse_list), Field(max_length=MAX_APPS)
    ] = ()
    """A JSON list of [FChat bots](channels.md#fchat)."""
