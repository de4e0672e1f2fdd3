"""The shape that all sections of the settings share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from config.reference import resolve_reference

Port = Annotated[int, Field(ge=0, le=65_535)]
"""A TCP port; 0 lets the system choose a free one."""

PositiveInt = Annotated[int, Field(gt=0)]
PositiveSeconds = Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)]
"""A duration in seconds; an hour is more than any of ours should ever be."""

Milliseconds = Annotated[int, Field(gt=0, le=3_600_000)]
"""A duration in milliseconds; at most an hour."""

Secret = Annotated[SecretStr, BeforeValidator(resolve_reference)]
"""A secret given as it is, or as `env:NAME` or `file:PATH`; never printed."""


def is_sendable(secret: str) -> bool:
    """Whether an HTTP header can hold it: a line's end, or a letter that is not ASCII, was pasted with it."""
    return secret.isascii() and secret.isprintable()


def sendable(secret: SecretStr) -> SecretStr:
    """The same secret. Raises ValueError when no header can hold it."""
    if not is_sendable(secret.get_secret_value()):
        raise ValueError("has characters that no token has: letters that are not ASCII, or a line's end")
    return secret


Token = Annotated[Secret, AfterValidator(sendable)]
"""A secret that goes into a header of HTTP."""


class Section(BaseModel):
    """One section of the settings: frozen, without unknown fields, errors without values."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
