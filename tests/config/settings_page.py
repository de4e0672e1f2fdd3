"""docs/settings.md: every setting, what it may be, its default and its meaning, as they are declared.

`python -m tests.config.settings_page` writes it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from inspect import cleandoc
from ipaddress import IPv4Network, IPv6Network
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import NoDecode

from config.problem import variable
from config.profile import PROFILES
from config.section import Section
from config.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"
NOTHING = "–"
_KINDS = {
    str: "text",
    int: "whole number",
    float: "number",
    Path: "path",
    SecretStr: "secret",
    bool: "yes, no",
}
_FROM, _TO = {Ge: "from", Gt: "above"}, {Le: "to", Lt: "and below"}


def sections() -> Iterator[tuple[str, type[Section]]]:
    """Each section of the settings, and its name."""
    for name, field in Settings.model_fields.items():
        if _is_section(field.annotation):
            yield name, field.annotation  # type: ignore[misc]


def meanings(section: type[Section]) -> dict[str, str]:
    """What stands behind each field, where it is declared."""
    found: dict[str, str] = {}
    for each in filter(_is_section, reversed(section.__mro__)):
        (declared,) = ast.parse(dedent(inspect.getsource(each))).body
        assert isinstance(declared, ast.ClassDef)
        found |= dict(_behind(declared.body))
    return {name: meaning for name, meaning in found.items() if name in section.model_fields}


def _behind(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, text in pairwise(body):
        match statement, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(meaning))):
                yield name, " ".join(meaning.split())


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section) and kind is not Section


def _what(kind: Any, metadata: Sequence[Any]) -> str:  # noqa: ANN401  a type, of any form
    """What may be set, for people."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _what(parts[0], [*parts[1:], *metadata])
    if origin in (Union, UnionType):
        return _what(next(each for each in parts if each is not type(None)), metadata)
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in parts)
    if origin is dict:
        return "JSON object"
    if origin is tuple:
        return _list(parts[0], metadata)
    return " ".join([_KINDS[kind], *_bounds(metadata)])


def _bounds(metadata: Sequence[Any]) -> Iterator[str]:
    """The strictest of each end."""
    for words, strictest in ((_FROM, max), (_TO, min)):
        ends = [each for each in metadata if type(each) in words]
        if ends:
            limit = strictest(ends, key=_limit)
            yield f"{words[type(limit)]} {_limit(limit):,.10g}"


def _limit(end: Ge | Gt | Le | Lt) -> Any:  # noqa: ANN401  a number
    return getattr(end, type(end).__name__.lower())


def _list(kind: Any, metadata: Sequence[Any]) -> str:  # noqa: ANN401
    inner = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if _is_section(inner) or NoDecode not in metadata:
        return "JSON list"
    return {SecretStr: "secrets, with commas", str: "texts, with commas"}.get(inner, "networks, with commas")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    return _written(field.get_default(call_default_factory=True)) or NOTHING


def _written(value: object) -> str:
    """As one would set it."""
    if isinstance(value, tuple):
        return ", ".join(map(_written, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, float):
        value = f"{round(value, 2):.15g}"
    if isinstance(value, IPv4Network | IPv6Network) and value.num_addresses == 1:
        value = value.network_address
    return "" if value in (None, "") else f"`{value}`"


def _rows(
    section: type[Section], called: Callable[[str], str], others: Mapping[str, object]
) -> Iterator[str]:
    told = meanings(section)
    yield "| name | values | default | meaning |\n|---|---|---|---|\n"
    for name, field in section.model_fields.items():
        default = _default(field)
        if name in others:
            default += f"; production {_written(others[name])}"
        what = _what(field.annotation, field.metadata)
        yield f"| `{called(name)}` | {what} | {default} | {told[name].replace('|', '/')} |\n"


def inner(section: type[Section]) -> Iterator[tuple[str, type[Section]]]:
    """What is written as JSON: the field, and what its list is of."""
    for name, field in section.model_fields.items():
        of, *_ = get_args(field.annotation) or (None,)
        if _is_section(of):
            yield name, of


def tables() -> Iterator[str]:
    """What stands between the marks."""
    for name, section in sections():
        prefix = variable(name, "")
        yield f"\n## `{prefix}…`\n\n{cleandoc(section.__doc__ or '').replace(chr(10), ' ')}\n\n"
        yield from _rows(section, partial(variable, name), PROFILES["production"].get(name, {}))
        for field, each in inner(section):
            yield f"\nEach of `{variable(name, field)}`, in JSON:\n\n"
            yield from _rows(each, str, {})
    yield "\n"


def page() -> str:
    """The whole page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return before + begin + "".join(tables()) + end + after


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
