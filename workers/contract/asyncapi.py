"""The AsyncAPI 3.0.0 document of all topics, with Kafka bindings."""

from __future__ import annotations

from workers.contract.channels import channels, messages
from workers.contract.header_schemas import cloudevents_headers, deadletter_headers
from workers.contract.operations import operations
from workers.contract.record_schemas import Schema
from workers.contract.release import RELEASE
from workers.contract.words import INFO, TITLE


def asyncapi_document() -> Schema:
    """Return the document; payloads refer to the schema files that stand beside it."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:tongdai:topics:v1",
        "info": {
            "title": TITLE,
            "version": RELEASE,
            "description": INFO,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": channels(),
        "operations": operations(),
        "components": {
            "messages": messages(),
            "schemas": {
                "CloudEventHeaders": cloudevents_headers(),
                "DeadletterHeaders": deadletter_headers(),
            },
        },
    }


def _servers() -> Schema:
    return {
        "local": {
            "host": "127.0.0.1:9092",
            "protocol": "kafka",
            "description": "The local profile: one broker, 6 and 3 partitions.",
        },
        "production": {
            "host": "{bootstrap}",
            "protocol": "kafka-secure",
            "description": "Three brokers or more, 48 and 24 partitions.",
            "variables": {"bootstrap": {"description": "`TONGDAI_KAFKA_BOOTSTRAP_SERVERS`: host:port[,…]"}},
        },
    }
