"""The key that signs tokens: the operator's; in the local profile drawn once and kept on this machine."""

from __future__ import annotations

import secrets
from pathlib import Path

from config.errors import ConfigurationError
from config.kept_key import kept_key
from config.logging import get_logger
from config.problem import variable
from config.settings import Settings

LOCAL_KEY = Path(".tongdai/gateway.key")

_log = get_logger(__name__)


def signing_key(settings: Settings, local_key: Path = LOCAL_KEY) -> str:
    """The key. Raises ConfigurationError when production has none."""
    given = settings.gateway.signing_key
    if given is not None:
        return given.get_secret_value()
    name = variable("gateway", "signing_key")
    if settings.profile == "production":
        raise ConfigurationError(
            f"{name} is not set: production needs one of at least 32 bytes, the same in all gateways; "
            "draw it with: openssl rand -base64 48"
        )
    try:
        return kept_key(local_key)
    except OSError as error:
        _log.warning("signing_key_not_kept", why=str(error), effect=f"a restart signs out; set {name}")
        return secrets.token_urlsafe(48)
