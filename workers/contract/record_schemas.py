"""The JSON Schema (2020-12) of each kind of record, as other programs shall read it."""

from __future__ import annotations

from typing import Any

from schemas.base import EdgeModel
from schemas.catalogue import RECORDS
from schemas.envelope import Kind
from workers.contract.descriptions import describe

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OPEN_WORDS = "x-extensible-enum"
"""Annotation: the words known today; a reader must expect others later."""

Schema = dict[str, Any]


def record_schema(kind: Kind) -> Schema:
    """Return the schema of the value of a record of `kind`; its `$id` is the record's `ce_dataschema`."""
    model = RECORDS[kind]
    schema = model.model_json_schema()
    describe(schema, model)
    if not issubclass(model, EdgeModel):
        schema = _opened(schema)
    return {"$schema": DIALECT, "$id": schema_id(kind), **schema, "title": kind.ce_type}


def schema_id(kind: Kind) -> str:
    """Return the name of the schema: a URN, since a schema has no one address."""
    return f"urn:tongdai:{kind.topic}:{kind.what}:v1"


def _opened(schema: Schema) -> Schema:
    """Return `schema` with closed lists of words made open.

    What we publish may say a new word in the next release (another method, another way a session ends);
    a consumer that validates with today's schema must not break on it. What connectors send stays closed.
    """
    opened = {name: _opened_inside(value) for name, value in schema.items() if name not in {"enum", "const"}}
    if isinstance(schema.get("enum"), list):
        opened[OPEN_WORDS] = schema["enum"]
    if isinstance(schema.get("const"), str):
        opened[OPEN_WORDS] = [schema["const"]]
    return opened


def _opened_inside(value: object) -> object:
    if isinstance(value, dict):
        return _opened(value)
    return [_opened_inside(item) for item in value] if isinstance(value, list) else value
