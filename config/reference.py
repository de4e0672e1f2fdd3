"""References to secrets: `env:NAME` and `file:PATH` stand for what is kept elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType

MAX_SECRET_BYTES = 65_536

_more_variables: ContextVar[Mapping[str, str | None]] = ContextVar(
    "more_variables", default=MappingProxyType({})
)


@contextmanager
def more_variables(values: Mapping[str, str | None]) -> Iterator[None]:
    """Let `env:` also find variables of a `.env` file while settings are read; the environment wins."""
    token = _more_variables.set(values)
    try:
        yield
    finally:
        _more_variables.reset(token)


def resolve_reference(value: object) -> object:
    """Return the secret that a reference names; anything that is not a reference comes back as it is.

    Raises `ValueError` when the reference names nothing: the message never holds a secret.
    """
    if not isinstance(value, str):
        return value
    kind, separator, name = value.partition(":")
    if separator and kind == "env":
        return _from_environment(name)
    if separator and kind == "file":
        return _from_file(Path(name))
    return value


def _from_environment(name: str) -> str:
    secret = os.environ.get(name) or _more_variables.get().get(name)
    if not secret:
        raise ValueError(f"refers to the environment variable {name!r}, which is not set (or empty): set it")
    return secret


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        secret = content.decode().rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"refers to the file {path}, which cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"refers to the file {path}, which is not UTF-8 text") from error
    if len(content) > MAX_SECRET_BYTES:
        raise ValueError(f"refers to the file {path}, which is larger than {MAX_SECRET_BYTES} bytes")
    if not secret:
        raise ValueError(f"refers to the file {path}, which is empty")
    return secret
