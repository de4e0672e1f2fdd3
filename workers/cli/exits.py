"""Which errors end a command without a traceback, and with which exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from config.errors import DependencyError, TongdaiError

_UNREACHABLE = (("aiokafka.errors", "KafkaConnectionError"), ("asyncpg", "PostgresConnectionError"))
"""Errors of libraries that mean that a server cannot be reached; looked up in what is loaded already."""


def expected_error(error: BaseException) -> TongdaiError | None:
    """Return what to tell a person and exit with, or `None` for an error that nobody foresaw.

    A group of errors, as task groups raise, is expected when all its members are; the gravest one speaks.
    """
    known = [_known(leaf) for leaf in _leaves(error)]
    expected = [leaf for leaf in known if leaf is not None]
    if len(expected) < len(known):
        return None
    return max(expected, key=lambda leaf: leaf.exit_code)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _known(error: BaseException) -> TongdaiError | None:
    if isinstance(error, TongdaiError):
        return error
    if isinstance(error, (ConnectionError, *_loaded_unreachable())) and not isinstance(
        error, BrokenPipeError
    ):
        return DependencyError(
            f"A server cannot be reached: {error}. Check the addresses: tongdai config show"
        )
    return None


def _loaded_unreachable() -> tuple[type[BaseException], ...]:
    loaded = ((sys.modules.get(module), name) for module, name in _UNREACHABLE)
    return tuple(getattr(module, name) for module, name in loaded if module is not None)
