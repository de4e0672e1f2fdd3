"""Which errors end a command without a traceback, and with which exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from config.error_text import told
from config.errors import ConfigurationError, DependencyError, TongdaiError

_LACKING = frozenset({"3F000", "42P01", "42703", "42883"})
"""A schema, table, column or function is not there."""
_FORBIDDEN = "42501"
_LATE = frozenset({"55P03", "57014"})
"""A lock was not to be had, or a statement took too long."""
_DOWN = frozenset({"08", "25", "28", "3D", "53", "57", "58"})
"""Classes: the connection, a standby, the login, the database's name, resources, an operator, the system."""


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
    if isinstance(error, BrokenPipeError):
        return None  # whoever read what was printed has seen enough
    if isinstance(error, TimeoutError):
        return DependencyError(
            f"Kafka or Postgres did not answer in time ({told(error)}): see that they run, and repeat"
        )
    if isinstance(error, ConnectionError):
        return _unreachable(error)
    return of_postgres(error) or _of_clients(error)


def of_postgres(error: BaseException) -> TongdaiError | None:
    """What Postgres says by its SQLSTATE, through whichever client; `None` when we are wrong."""
    error = getattr(error, "orig", None) or error  # SQLAlchemy's say what the client's said
    code = getattr(error, "sqlstate", None)
    if not isinstance(code, str):
        return None
    if code in _LACKING:
        return DependencyError(
            f"The database is not prepared ({told(error)}): run tongdai migrate and, where workers have "
            "roles of their own, what tongdai access postgres prints"
        )
    if code == _FORBIDDEN:
        return ConfigurationError(
            f"The database's role may not do this ({told(error)}): operators' commands run as the owner; "
            "workers after each tongdai migrate with the rights that tongdai access postgres prints; see "
            "TONGDAI_POSTGRES_DSN"
        )
    if code in _LATE:
        return DependencyError(f"Postgres was too slow ({told(error)}): repeat when it has less to do")
    return _unreachable(error) if code[:2] in _DOWN else None


def _of_clients(error: BaseException) -> TongdaiError | None:
    """What the clients of Kafka and Postgres say themselves."""
    name = type(error).__name__
    if isinstance(error, _loaded("aiokafka.errors", "KafkaError")):
        if "Authorization" in name:
            return ConfigurationError(
                f"Kafka's user may not do this ({told(error)}): give it the rights that "
                "tongdai access kafka writes, or run the command as an operator"
            )
        return DependencyError(
            f"Kafka did not do it ({told(error)}): see that it runs, and that its topics are there "
            "(tongdai topics apply)"
        )
    clients = (*_loaded("asyncpg", "InterfaceError"), *_loaded("asyncpg", "InternalClientError"))
    return _unreachable(error) if isinstance(error, clients) and not isinstance(error, ValueError) else None


def _unreachable(error: BaseException) -> DependencyError:
    return DependencyError(
        f"A server cannot be reached, or does not serve us now: {told(error)}. Check that it runs, and the "
        "addresses: tongdai config show"
    )


def _loaded(module: str, name: str) -> tuple[type[BaseException], ...]:
    """A library's error, when the library is loaded already: help stays quick."""
    loaded = sys.modules.get(module)
    return () if loaded is None else (getattr(loaded, name),)
