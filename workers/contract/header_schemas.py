"""The schemas of record headers: CloudEvents 1.0 in Kafka's binary mode, and what deadletter adds."""

from __future__ import annotations

from typing import get_args

from schemas.deadletter import PREFIX, Deadletter, Reason
from schemas.envelope import Kind
from workers.contract.record_schemas import Schema, schema_id

_DEADLETTER_WORDS = {
    "reason": "Why it is here.",
    "detail": "The reason in a sentence; never a message's text.",
    "worker": "Who put it here.",
    "topic": "The short name of the topic it was read from, or `ingress/<channel>`.",
    "partition": "Its partition there; -1: it never was on a topic.",
    "offset": "Its offset there; -1: it never was on a topic.",
    "timestamp_ms": "Its time there, in milliseconds since 1970.",
}


def cloudevents_headers() -> Schema:
    """Return the schema of what every record's headers say; values are UTF-8 strings."""
    return {
        "type": "object",
        "description": "CloudEvents 1.0, Kafka protocol binding, binary mode. Header values are UTF-8.",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type"],
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": {
                "type": "string",
                "minLength": 1,
                "description": "Unique with ce_source. Ours are UUIDs, the same after any re-execution.",
            },
            "ce_source": {
                "type": "string",
                "minLength": 1,
                "format": "uri-reference",
                "description": "Who published it, e.g. `tongdai/desk/3`, `connector/acme-crm`.",
            },
            "ce_type": {"type": "string", "description": "`tongdai.<topic>.<what>.v1`: which schema holds."},
            "ce_time": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened. Order is the log's, not the clock's.",
            },
            "ce_subject": {"type": "string", "description": "What it is about: the record's key."},
            "ce_dataschema": {"type": "string", "format": "uri", "description": "The `$id` of the schema."},
            "content-type": {"type": "string", "const": "application/json"},
        },
    }


def kind_headers(kind: Kind) -> Schema:
    """Return the schema of the headers of records of one kind."""
    return {
        "allOf": [
            {"$ref": "#/components/schemas/CloudEventHeaders"},
            {
                "type": "object",
                "properties": {
                    "ce_type": {"type": "string", "const": kind.ce_type},
                    "ce_dataschema": {"type": "string", "const": schema_id(kind)},
                },
            },
        ]
    }


def deadletter_headers() -> Schema:
    """Return the schema of the headers that deadletter adds to the original's."""
    properties: Schema = {
        PREFIX + name: {"type": "string", "description": _DEADLETTER_WORDS[name]}
        for name in Deadletter._fields
    }
    properties[PREFIX + "reason"]["x-extensible-enum"] = list(get_args(Reason))
    return {"type": "object", "required": list(properties), "properties": properties}
