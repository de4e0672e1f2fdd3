"""The channels of the AsyncAPI document: the topics, their facts on Kafka, their messages."""

from __future__ import annotations

from config.kafka import KafkaSettings
from config.profile import PROFILES, Profile
from config.topics import CATALOGUE, DEADLETTER, Topic
from schemas.catalogue import RECORDS
from schemas.envelope import Kind
from workers.contract.examples import EXAMPLES
from workers.contract.header_schemas import kind_headers
from workers.contract.keys import KEYS
from workers.contract.record_schemas import Schema
from workers.contract.words import PUBLIC, TOPICS

BINDING_VERSION = "0.5.0"
PREFIX = "tongdai"
_NUMBERS = {"max.message.bytes", "min.insync.replicas", "retention.bytes", "retention.ms"}


def channels() -> Schema:
    """Return the channel of every topic that has records, by its short name."""
    return {topic.name: _channel(topic) for topic in CATALOGUE if topic.name in TOPICS}


def messages() -> Schema:
    """Return every message, by the name under which components hold it."""
    letters = {DEADLETTER.name: _deadletter_message()}
    return {message_name(kind): _message(kind) for kind in RECORDS} | letters


def message_name(kind: Kind) -> str:
    """Return the name of a kind's message and, with `.v1.json`, of its files: `inbound.message`."""
    return f"{kind.topic}.{kind.what}"


def kinds_of(topic: str) -> list[Kind]:
    """Return the kinds of records on a topic, in the order of the catalogue."""
    return [kind for kind in RECORDS if kind.topic == topic]


def _channel(topic: Topic) -> Schema:
    names = [message_name(kind) for kind in kinds_of(topic.name)] or [topic.name]
    return {
        "address": topic.full_name(PREFIX),
        "title": topic.name,
        "description": f"{TOPICS[topic.name]} Key: `{KEYS[topic.key].written}`, {KEYS[topic.key].meaning}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "tags": [{"name": "public" if topic.name in PUBLIC else "internal"}],
        "bindings": {"kafka": _binding(topic)},
    }


def _binding(topic: Topic) -> Schema:
    """Return the facts of production; those of the local profile as extensions."""
    production, local = _kafka("production"), _kafka("local")
    return {
        "topic": topic.full_name(PREFIX),
        "partitions": topic.partitions(production),
        "replicas": production.replication_factor,
        "topicConfiguration": {
            name: _configuration(name, value) for name, value in topic.configs(production).items()
        },
        "x-local-partitions": topic.partitions(local),
        "x-local-replicas": local.replication_factor,
        "x-partitioner": "murmur2",
        "bindingVersion": BINDING_VERSION,
    }


def _configuration(name: str, value: str) -> object:
    if name == "cleanup.policy":
        return value.split(",")
    return int(value) if name in _NUMBERS else value


def _kafka(profile: Profile) -> KafkaSettings:
    return KafkaSettings.model_validate(PROFILES[profile]["kafka"])


def _message(kind: Kind) -> Schema:
    topic = next(topic for topic in CATALOGUE if topic.name == kind.topic)
    example = EXAMPLES[kind]
    return {
        "name": kind.ce_type,
        "title": f"{kind.topic}: {kind.what}",
        "summary": _first_line(RECORDS[kind].__doc__),
        "contentType": "application/json",
        "headers": kind_headers(kind),
        "payload": {"$ref": f"./schemas/{message_name(kind)}.v1.json"},
        "bindings": {"kafka": _message_binding(topic)},
        "examples": [{"name": kind.what, "headers": example.headers, "payload": example.value}],
    }


def _message_binding(topic: Topic) -> Schema:
    key = KEYS[topic.key]
    schema: Schema = {"type": "string", "description": f"`{key.written}`: {key.meaning}."}
    if key.pattern:
        schema["pattern"] = key.pattern
    return {"key": schema, "bindingVersion": BINDING_VERSION}


def _deadletter_message() -> Schema:
    return {
        "name": "deadletter",
        "title": "deadletter",
        "summary": "A record as it came, and why it could not be taken.",
        "description": "Key, value and headers are the original's; a replay is the record without the "
        "headers that begin with `deadletter_`.",
        "headers": {"$ref": "#/components/schemas/DeadletterHeaders"},
        "payload": {"description": "The original's value, whatever bytes it was."},
        "bindings": {"kafka": _message_binding(DEADLETTER)},
    }


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n", maxsplit=1)[0]
