"""The tables of docs/desk.md that are made from the code: `python -m tests.desk.desk_page` writes them."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from types import FunctionType
from typing import Any, get_args

from schemas.assignments import CareStatus
from schemas.commands import AskedCommand, Command, TimerName
from schemas.definitions import Policy
from workers.routing.desk.care import BY_HAND, by_hand
from workers.routing.desk.decide import DECISIONS
from workers.routing.desk.decision import KIND_OF
from workers.routing.desk.expiries import EXPIRIES
from workers.routing.desk.outcomes import answered_before
from workers.routing.desk.timers import OF_CONVERSATION
from workers.routing.outcomes import Refusal

PAGE = Path(__file__).parents[2] / "docs" / "desk.md"
DESK = "workers.routing.desk"
BY_ITSELF: dict[CareStatus, str] = {
    "new": "an agent gets it: `accepted`; somebody answers who does not hold it, or outside: `waiting`",
    "waiting": "an agent gets it: `accepted`",
    "accepted": "its agent loses it: `waiting`",
    "pending_close": "its agent loses it: `waiting`",
    "closed_won": "its agent loses it: `waiting`",
    "done": "the customer writes, or its agent loses it: `waiting`, round + 1",
    "refused": "at once: `waiting`, round + 1, the agent is off",
}


@cache
def tables() -> dict[str, list[str]]:
    """What stands between each pair of marks."""
    return {"care": _care(), "commands": _commands(), "timers": _timers()}


def written(text: str) -> str:
    """The page with its tables as the code has them."""
    for mark, lines in tables().items():
        begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
        if begin not in text or end not in text:
            raise ValueError(f"the page has no place for {mark}: write {begin} and {end}")
        before, _, rest = text.partition(begin)
        text = before + "\n".join((begin, *lines, end)) + rest.partition(end)[2]
    return text


def _care() -> list[str]:
    rows = []
    for care in BY_HAND:
        always = by_hand(care, Policy())
        earlier = set(by_hand(care, Policy(done_from=("accepted", "pending_close")))) - set(always)
        allowed = [f"`{one}`" for one in always] + [f"`{one}` if `done_from` names it" for one in earlier]
        rows.append((f"`{care}`", ", ".join(allowed) or "–", BY_ITSELF[care]))
    return _table(("from", "by hand", "by itself"), rows)


def _commands() -> list[str]:
    rows = []
    for model, decision in DECISIONS.items():
        if not issubclass(model, AskedCommand):
            continue
        codes = sorted(set(_codes(decision)) | set(_codes(answered_before)))
        told = ", ".join(f"`{code}`" for code in codes)
        rows.append((f"`{KIND_OF[model].what}`", _first_sentence(model), told))
    return _table(("command", "what it asks", "may be refused with"), rows)


def _timers() -> list[str]:
    rows = []
    for name in get_args(TimerName):
        whose = "a conversation" if name in OF_CONVERSATION else "the desk"
        rows.append((f"`{name}`", whose, _first_sentence(EXPIRIES[name]) or "Whoever waits is served."))
    return _table(("timer", "of", "when it comes"), rows)


def from_workers() -> list[type[Command]]:
    """The commands that nobody asks for: they have no outcome."""
    return [model for model in DECISIONS if not issubclass(model, AskedCommand)]


def _first_sentence(documented: Any) -> str:  # noqa: ANN401  a function or a model
    text = " ".join((inspect.getdoc(documented) or "").split()).replace("|", "/")
    return re.split(r"(?<=\.)\s", text)[0]


def _codes(decision: Callable[..., object], seen: set[object] | None = None) -> Iterator[str]:
    """The codes of all refusals that `decision`, or what it calls in the desk, can give."""
    seen = set() if seen is None else seen
    if decision in seen:
        return
    seen.add(decision)
    names = inspect.getclosurevars(decision).nonlocals.values()
    tree = ast.parse(textwrap.dedent(inspect.getsource(decision)))
    globals_ = getattr(decision, "__globals__", {})
    called = [globals_.get(node.id) for node in ast.walk(tree) if isinstance(node, ast.Name)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
            yield _code(node.args[0], globals_)
    for one in chain.from_iterable(map(_each, (*names, *called))):
        if isinstance(one, Refusal):
            yield one.code
        elif isinstance(one, FunctionType) and one.__module__.startswith(DESK):
            yield from _codes(one, seen)


def _each(named: object) -> Iterable[object]:
    """What a name stands for: what is in a table of functions, too."""
    if isinstance(named, dict):
        return named.values()
    return named if isinstance(named, tuple) and not isinstance(named, Refusal) else (named,)


def _code(node: ast.expr, globals_: dict[str, Any]) -> str:
    """A code as it is written: a word, a constant, or a word with a place for what it is about."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return str(globals_[node.id])
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    raise TypeError(f"{ast.unparse(node)} is no code that can be read")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, tuple("---" for _ in head), *rows)]


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
