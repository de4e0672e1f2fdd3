"""No change may break a connector or a consumer of the last release."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.base import EdgeModel
from schemas.catalogue import RECORDS
from schemas.envelope import Kind, read_kind
from tests.contract.compatibility import breaks
from tests.contract.folder import BY_NAME, FOLDER, RELEASES, file_name, read
from workers.contract.record_schemas import record_schema

RECORDED = [path for release in RELEASES for path in sorted((release / "examples").glob("*.json"))]
SCHEMAS = [path for release in RELEASES for path in sorted((release / "schemas").glob("*.json"))]


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.name}"


def _ours(kind: Kind) -> bool:
    return not issubclass(RECORDS[kind], EdgeModel)


def test_there_is_a_release_to_be_compatible_with() -> None:
    assert RECORDED
    assert SCHEMAS


@pytest.mark.parametrize("path", RECORDED, ids=_name)
def test_a_recorded_example_is_read_by_the_new_model(path: Path) -> None:
    example = read(path)
    headers = [(name, text.encode()) for name, text in example["headers"].items()]
    kind = read_kind(headers, BY_NAME[path.name].topic)
    RECORDS[kind].model_validate_json(json.dumps(example["value"]))


@pytest.mark.parametrize("path", SCHEMAS, ids=_name)
def test_a_new_example_is_read_by_a_consumer_of_the_last_release(path: Path) -> None:
    kind = BY_NAME[path.name]
    value = read(FOLDER / "examples" / file_name(kind))["value"]
    schema = read(path)
    if not _ours(kind):  # a connector of that release does not know newer fields, and need not
        value = {name: field for name, field in value.items() if name in schema["properties"]}
    Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize("path", SCHEMAS, ids=_name)
def test_no_field_is_gone_and_none_has_changed(path: Path) -> None:
    kind = BY_NAME[path.name]
    assert breaks(read(path), record_schema(kind), ours=_ours(kind)) == []


def _changed(kind: Kind, *path: str, to: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401
    """A schema, and the same with what `path` names replaced, or removed when `to` is none."""
    old = record_schema(kind)
    new = copy.deepcopy(old)
    node: Any = new
    for part in path[:-1]:
        node = node[part]
    node.pop(path[-1], None)
    if to is not None:
        node[path[-1]] = to
    return old, new


ASSIGNED = Kind("assignments", "assigned")
MESSAGE = Kind("inbound", "message")
ECHO = Kind("inbound", "echo")


@pytest.mark.parametrize(
    ("kind", "path", "to", "told"),
    [
        (ASSIGNED, ("properties", "holder"), None, ".holder: the field would be gone"),
        (ASSIGNED, ("$defs", "Why", "properties", "rule"), None, ".why.rule: the field would be gone"),
        (ASSIGNED, ("properties", "seq", "type"), "string", ".seq: its type was ['integer']"),
        (ASSIGNED, ("required",), ["workspace"], ".seq: would not be there always"),
        (ASSIGNED, ("properties", "care", "x-extensible-enum"), ["new"], "the word 'done' would be gone"),
        (MESSAGE, ("properties", "text"), None, ".text: the field would be gone"),
        (MESSAGE, ("required",), ["language"], ".language: would be demanded"),
        (MESSAGE, ("properties", "channel", "x-extensible-enum"), ["zalo"], "the word 'web' would be gone"),
        (MESSAGE, ("properties", "channel", "enum"), ["messenger"], "no words but those that are known"),
        (ECHO, ("properties", "author", "enum"), ["bot"], "the word 'human' would be gone"),
    ],
)
def test_a_breaking_change_is_seen(kind: Kind, path: tuple[str, ...], to: object, told: str) -> None:
    assert any(told in text for text in breaks(*_changed(kind, *path, to=to), ours=_ours(kind)))


def test_a_new_field_and_a_new_word_break_nobody() -> None:
    old, new = _changed(ASSIGNED, "properties", "care", "x-extensible-enum", to=["new", "done", "asleep"])
    old["properties"]["care"]["x-extensible-enum"] = ["new", "done"]
    new["properties"]["mood"] = {"type": "string"}
    assert breaks(old, new, ours=True) == []
