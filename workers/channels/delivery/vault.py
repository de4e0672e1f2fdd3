"""Encrypts the pages' tokens, so that who reads the database cannot speak for a page."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.errors import ConfigurationError
from config.kept_key import kept_key
from config.logging import get_logger
from config.problem import variable
from config.settings import Settings

LOCAL_KEY = Path(".tongdai/delivery.key")
_NAME = variable("delivery", "keys")

log = get_logger(__name__)


class Vault:
    """Encrypts with the first of some keys and decrypts with all of them.

    Args:
        keys: secrets of at least 32 bytes each.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(_derived(key)) for key in keys])

    def seal(self, secret: str) -> bytes:
        """`secret` encrypted and signed, under another text each time."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """The secret. Raises ConfigurationError when none of the keys has sealed it."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise ConfigurationError(
                f"a page's token was encrypted with a key that {_NAME} does not have: add that key"
            ) from error


def open_vault(settings: Settings, local_key: Path = LOCAL_KEY, *, must_last: bool = True) -> Vault:
    """The vault of these settings; in the local profile its key may be drawn and kept on this machine.

    Raises ConfigurationError when production has no key, or when it must last and cannot be kept.
    """
    keys = [key.get_secret_value() for key in settings.delivery.keys]
    if keys:
        return Vault(keys)
    if settings.profile == "production":
        raise ConfigurationError(
            f"{_NAME} is not set: production needs a key of at least 32 bytes, the same in all delivery "
            "workers, for the pages' tokens; draw it with: openssl rand -base64 48"
        )
    try:
        return Vault([kept_key(local_key)])
    except OSError as error:
        if must_last:
            raise ConfigurationError(f"{local_key} cannot be kept ({error}): set {_NAME}") from error
        log.warning("no_key_for_tokens", why=str(error), effect=f"no page can be connected: set {_NAME}")
        return Vault([secrets.token_urlsafe(48)])


def _derived(key: str) -> bytes:
    """A key of Fernet's form and of this use alone."""
    derived = HKDF(SHA256(), length=32, salt=None, info=b"tongdai/delivery/tokens").derive(key.encode())
    return base64.urlsafe_b64encode(derived)
