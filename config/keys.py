"""Keys that sign or encrypt, and lists that are written in one variable."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from config.section import Secret

KEY_BYTES_MIN = 32
_ADVICE = f"shorter than {KEY_BYTES_MIN} bytes: draw one with openssl rand -base64 48"


def split(value: object) -> object:
    """What stands between commas; anything but a text stays as it is."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _is_short(key: SecretStr) -> bool:
    return len(key.get_secret_value().encode()) < KEY_BYTES_MIN


def _long_enough(key: SecretStr) -> SecretStr:
    if _is_short(key):
        raise ValueError(f"is {_ADVICE}")
    return key


def _all_long_enough(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(map(_is_short, keys)):
        raise ValueError(f"has a key {_ADVICE}")
    return keys


Key = Annotated[Secret, AfterValidator(_long_enough)]
"""Of at least 32 bytes."""
Keys = Annotated[
    tuple[Secret, ...],
    NoDecode,
    BeforeValidator(split),
    AfterValidator(_all_long_enough),
    Field(max_length=10),
]
"""Separated by commas: the first is used for what is new, all for what there is."""
