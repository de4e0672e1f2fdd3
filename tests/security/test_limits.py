"""Whatever a request to the API may say has a limit: each number, text and list of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from workers.gateway.app import api
from workers.gateway.openapi import text_of

Schema = dict[str, Any]
LIMITS = {
    "integer": {"maximum", "exclusiveMaximum", "enum", "const"},
    "string": {"maxLength", "pattern", "enum", "const", "format"},
    "array": {"maxItems"},
}
OF_ITS_HEAD = {"get /api/v1/files/{token} token"}
"""Limited as the whole address is, with the head of the request."""


def unlimited(where: str, schema: Schema, known: Schema) -> Iterator[str]:
    """Where something without a limit stands. Models that stand in themselves are looked at once."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if f" {name}" not in where:
            yield from unlimited(f"{where} {name}", known[name], known)
        return
    if not LIMITS.get(schema.get("type", ""), {"type"}) & schema.keys() and "type" in schema:
        yield where
    inside = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    inside += [
        schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)
    ]
    for each in inside:
        yield from unlimited(where, each, known)
    for name, each in schema.get("properties", {}).items():
        yield from unlimited(f"{where}.{name}", each, known)


def test_every_parameter_and_field_has_one() -> None:
    document = orjson.loads(text_of(api()))
    known, count = document["components"]["schemas"], 0
    found: set[str] = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = {one["name"]: one["schema"] for one in operation.get("parameters", ())}
            named |= operation.get("requestBody", {}).get("content", {})
            for name, one in named.items():
                count += 1
                found.update(unlimited(f"{method} {path} {name}", one.get("schema", one), known))
    assert count > 100
    assert found == OF_ITS_HEAD


def test_what_has_none_is_found() -> None:
    body = {
        "properties": {"text": {"type": "string"}, "of": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}
    }
    assert list(unlimited("post", {"$ref": "#/x/Body"}, {"Body": body})) == ["post Body.text", "post Body.of"]
