"""What the models' docstrings say of their fields, for the exported schemas.

pydantic can do this (`use_attribute_docstrings`), but at each import: it took a third of a worker's start.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from schemas.base import EdgeModel, InsideModel

Schema = dict[str, Any]


def describe(schema: Schema, model: type[BaseModel]) -> None:
    """Add to `schema`, made of `model`, the description of each field that has a docstring."""
    _describe_fields(schema, model)
    models = {found.__name__: found for base in (EdgeModel, InsideModel) for found in _descendants(base)}
    for name, definition in schema.get("$defs", {}).items():
        if name in models:
            _describe_fields(definition, models[name])


def _describe_fields(schema: Schema, model: type[BaseModel]) -> None:
    told = {
        field: text
        for ancestor in reversed(model.__mro__)
        if issubclass(ancestor, BaseModel) and ancestor is not BaseModel
        for field, text in _docstrings(ancestor)
    }
    for field, text in told.items():
        schema["properties"][field].setdefault("description", text)


def _docstrings(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Fields of the class itself with the string that stands under each."""
    [class_] = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    for field, text in pairwise(class_.body if isinstance(class_, ast.ClassDef) else []):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name, inspect.cleandoc(words)


def _descendants(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in model.__subclasses__():
        yield child
        yield from _descendants(child)
