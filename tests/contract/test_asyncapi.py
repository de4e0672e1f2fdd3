"""The AsyncAPI document is valid, complete, and says what the catalogue of topics says."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from config.topics import CATALOGUE
from schemas.catalogue import RECORDS
from schemas.deadletter import Deadletter
from schemas.envelope import Kind
from tests.contract.folder import DATA, FOLDER, file_name, read
from workers.access.rights import WORKERS
from workers.contract.header_schemas import cloudevents_headers, deadletter_headers
from workers.contract.record_schemas import record_schema

DOCUMENT = read(FOLDER / "asyncapi.yaml")


def test_the_document_is_valid_by_asyncapis_own_schema() -> None:
    validator = Draft7Validator(read(DATA / "asyncapi-3.0.0.json"))
    assert [error.message for error in validator.iter_errors(DOCUMENT)] == []


def test_asyncapis_schema_sees_a_mistake() -> None:
    validator = Draft7Validator(read(DATA / "asyncapi-3.0.0.json"))
    assert not validator.is_valid({**DOCUMENT, "channels": {"inbound": {"adress": "tongdai.inbound.v1"}}})


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _target(reference: str) -> object:
    if reference.startswith("./"):
        return read(FOLDER / reference)
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_every_reference_leads_somewhere() -> None:
    references = set(_references(DOCUMENT))
    assert len(references) > len(RECORDS)
    assert all(_target(reference) for reference in references)


def test_every_topic_in_use_is_a_channel_with_the_facts_of_the_catalogue() -> None:
    channels = DOCUMENT["channels"]
    assert set(channels) == {topic.name for topic in CATALOGUE}
    expected = {"conversation": (48, 6), "desk": (24, 3), "deadletter": (6, 6)}
    for topic in CATALOGUE:
        binding = channels[topic.name]["bindings"]["kafka"]
        assert channels[topic.name]["address"] == f"tongdai.{topic.name}.v1" == binding["topic"]
        assert (binding["partitions"], binding["x-local-partitions"]) == expected[topic.group]
        assert binding["topicConfiguration"]["retention.ms"] == (topic.retention_ms or -1)
        assert binding["topicConfiguration"]["cleanup.policy"] == ["delete"]


def _uses(parts: Collection[str], action: str) -> set[str]:
    """The topics that these read, or write."""
    return {
        operation["channel"]["$ref"].rsplit("/", 1)[1]
        for name, operation in DOCUMENT["operations"].items()
        if operation["action"] == action and name.partition("-")[0] in parts
    }


@pytest.mark.parametrize("worker", WORKERS)
def test_it_says_of_each_worker_what_its_rights_are(worker: str) -> None:
    rights, parts = WORKERS[worker], WORKERS[worker].lanes or (worker,)
    reads, writes = ({topic.name for topic in topics} for topics in (rights.reads, rights.writes))
    assert _uses(parts, "receive") == reads
    # What came to a wrong partition goes back to its own topic, as it came: nobody's own record.
    assert _uses(parts, "send") <= writes <= _uses(parts, "send") | reads


def test_every_kind_of_record_is_written_and_described() -> None:
    written = {
        reference["$ref"].rsplit("/", 1)[1]
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "send"
        for reference in operation["messages"]
    }
    described = {f"{kind.topic}.{kind.what}" for kind in RECORDS}
    assert written - {"deadletter"} == described
    assert set(DOCUMENT["components"]["messages"]) - {"deadletter"} == described


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.ce_type)
def test_the_key_of_the_example_matches_its_binding(kind: Kind) -> None:
    key = read(FOLDER / "examples" / file_name(kind))["key"]
    binding = DOCUMENT["components"]["messages"][f"{kind.topic}.{kind.what}"]["bindings"]["kafka"]
    assert re.search(binding["key"]["pattern"], key)


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.ce_type)
def test_the_example_is_what_schemas_and_model_say(kind: Kind) -> None:
    example = read(FOLDER / "examples" / file_name(kind))
    schema = record_schema(kind)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(example["value"])
    Draft202012Validator(cloudevents_headers()).validate(example["headers"])
    assert example["headers"]["ce_dataschema"] == schema["$id"]
    assert example["headers"]["ce_subject"] == example["key"]
    RECORDS[kind].model_validate_json(json.dumps(example["value"]))


def test_deadletters_headers_are_described() -> None:
    letter = Deadletter("unreadable", "text: is missing", "intake", "inbound", 3, 41, 1_763_774_100_000)
    headers = {name: value.decode() for name, value in letter.headers()}
    Draft202012Validator(deadletter_headers()).validate(headers)
    assert set(headers) == set(deadletter_headers()["properties"])


@pytest.mark.parametrize(
    "words",
    [
        *(
            "murmur2",
            "partitioner=murmur2_random",
            "48 in production, 6",
            "others have 24 (3), deadletter\n6",
        ),
        *("read_committed", "seq"),
    ],
)
def test_the_text_names_what_a_connector_must_know(words: str) -> None:
    assert words in DOCUMENT["info"]["description"]
