"""Secrets of endpoints, and signatures with them, by Standard Webhooks (standardwebhooks.com).

A secret is computed: HMAC-SHA256 of the endpoint's salt under a key of the settings. So Postgres holds
nothing with which anybody could sign; a secret is shown when its salt is drawn, and kept nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from standardwebhooks.webhooks import Webhook

from config.kept_key import kept_key
from config.logging import get_logger
from config.problem import variable
from config.settings import Settings

LOCAL_KEY = Path(".tongdai/webhooks.key")
SALT_BYTES = 32

_log = get_logger(__name__)


class Salt(NamedTuple):
    """What a secret is computed from, beside the key with this id."""

    key_id: str
    salt: bytes


class UnknownKeyError(Exception):
    """The key from which a secret was computed is not among those of the settings."""


class Keys:
    """The keys of the settings, by their ids; asked for when one is needed first."""

    def __init__(self, load: Callable[[], Sequence[str]]) -> None:
        self._load = load

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {_id_of(key): key for key in self._load()}

    @property
    def can_draw(self) -> bool:
        """Whether there is any key."""
        return bool(self._keys)

    def draw(self) -> Salt:
        """A new secret's salt, for the first key. Raises UnknownKeyError when there is none."""
        if not self._keys:
            raise UnknownKeyError(f"{variable('webhooks', 'signing_keys')} is not set")
        return Salt(next(iter(self._keys)), secrets.token_bytes(SALT_BYTES))

    def secret(self, salt: Salt) -> str:
        """The secret `whsec_…` of a salt. Raises UnknownKeyError."""
        key = self._keys.get(salt.key_id)
        if key is None:
            raise UnknownKeyError(
                f"{variable('webhooks', 'signing_keys')} has no key {salt.key_id}, which signs this endpoint"
            )
        drawn = hmac.digest(key.encode(), salt.salt, hashlib.sha256)
        return f"whsec_{base64.b64encode(drawn).decode()}"


def signed_headers(secrets_: Sequence[str], id_: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt at `at` (aware), with a signature by each secret."""
    text = body.decode()
    signatures = [Webhook(secret).sign(id_, at, text) for secret in secrets_]
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def signing_keys(settings: Settings, local_key: Path = LOCAL_KEY) -> Keys:
    """The keys; the local profile draws one and keeps it. Without any, nothing can be signed."""
    given = [key.get_secret_value() for key in settings.webhooks.signing_keys]
    if given or settings.profile == "production":
        return Keys(lambda: given)
    return Keys(lambda: _local(local_key))


def _local(path: Path) -> list[str]:
    try:
        return [kept_key(path)]
    except OSError as error:
        name = variable("webhooks", "signing_keys")
        _log.warning("webhooks_without_key", why=str(error), effect=f"none can be added or sent; set {name}")
        return []


def _id_of(key: str) -> str:
    """What a key is called in Postgres: of a random key, a part of its digest tells nothing."""
    return hashlib.sha256(f"tongdai webhooks key\n{key}".encode()).hexdigest()[:12]
