"""What may be told of an error: which, and where; never the data it was raised over.

Postgres quotes the row that it refuses, asyncpg an argument, pydantic its input, Python a key: with them
customers' words would come to logs, dead letters and `/readyz`.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.errors import TongdaiError

LINKS_MAX = 5
"""Of an error, its cause, the cause's cause …; what lies deeper is not told."""
FRAMES_MAX = 15
"""Of each error, the innermost: lines of the log have an end, and what matters stands at theirs."""
KINDS_MAX = 5
_OURS = Path(__file__).parents[1]
_PACKAGES = frozenset({"schemas", "config", "workers"})
_FREE_OF_DATA = frozenset({"08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58"})
"""Classes of SQLSTATE whose messages name servers, roles, tables: of connections, rights, resources."""
_OF_NAMES = (ImportError, AttributeError, NameError)
"""Python's that name a line of the program, not what it works on."""
_NAMES = ("table_name", "column_name", "data_type_name", "constraint_name")


def told(error: BaseException) -> str:
    """Return which error this is, on one line, with what caused it: `CheckViolationError 23514 (a, a_check)`.

    Our own errors for people, those of the system, of imports, of Kafka and of connections keep their words.
    """
    return ", from ".join(_one(each) for each in _causes(error))


def whereabouts(error: BaseException) -> str:
    """Return the line of ours where it was raised: `workers/routing/desk/handler.py:88`, or nothing."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_OURS) and path.relative_to(_OURS).parts[0] in _PACKAGES:
            return f"{path.relative_to(_OURS)}:{frame.lineno}"
    return ""


def traced(error: BaseException) -> str:
    """Return its traceback much as Python prints it: causes first, members of a group last."""
    parts = [_traced_alone(each) for each in reversed(list(_contexts(error)))]
    members = error.exceptions[:LINKS_MAX] if isinstance(error, BaseExceptionGroup) else ()
    return "\n".join([*parts, *(f"One of them:\n{traced(member)}" for member in members)])


def _traced_alone(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__, limit=-FRAMES_MAX))
    return f"Traceback (most recent call last):\n{frames}{_one(error)}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(LINKS_MAX):
        if error is None:
            return
        yield error
        error = error.__cause__


def _contexts(error: BaseException | None) -> Iterator[BaseException]:
    """With what was being handled meanwhile, as Python's own traceback has it."""
    for _ in range(LINKS_MAX):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _one(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        return f"{name} ({'; '.join(told(each) for each in error.exceptions[:LINKS_MAX])})"
    code = getattr(error, "sqlstate", None)
    if isinstance(code, str):
        return f"{name} {code}{_of_postgres(error, code)}"
    if type(error).__module__.partition(".")[0] == "pydantic_core":
        return f"{name}{_of_pydantic(error)}"
    words = str(error) if _speaks_freely(error) else ""
    if words.startswith(f"{name}:"):  # as aiokafka's say themselves
        return words
    return f"{name}: {words}" if words else name


def _of_postgres(error: BaseException, code: str) -> str:
    if code[:2] in _FREE_OF_DATA:
        return f": {getattr(error, 'message', None) or error}"
    names = [name for name in (getattr(error, key, None) for key in _NAMES) if name]
    return f" ({', '.join(names)})" if names else ""


def _of_pydantic(error: Any) -> str:  # noqa: ANN401 - one of its errors, which need not be loaded
    if not hasattr(error, "errors"):
        return ""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    kinds = list(dict.fromkeys(problem["type"] for problem in found))[:KINDS_MAX]
    return f" of {error.title} ({', '.join(kinds)})"


def _speaks_freely(error: BaseException) -> bool:
    """asyncpg's errors about values are ValueErrors too; its others tell the state of a connection."""
    if isinstance(error, (TongdaiError, OSError, *_OF_NAMES)):
        return True
    library = type(error).__module__.partition(".")[0]
    return library == "aiokafka" or (library == "asyncpg" and not isinstance(error, ValueError))
