"""The API's document is what the code says, and says what every answer is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.gateway.document import DOCUMENT, WRITTEN
from workers.gateway.app import api
from workers.gateway.calls import CONVERSATION_CALLS
from workers.gateway.openapi import text_of

OPERATIONS = [
    (f"{method} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def test_the_document_is_not_stale() -> None:
    assert WRITTEN.read_text(encoding="utf-8") == text_of(api()), "write it: tongdai gateway openapi"
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_call_has_a_path_and_needs_a_key() -> None:
    for call in CONVERSATION_CALLS.values():
        path = f"/api/v1/conversations/{{conversation}}/{call.path}"
        operation = DOCUMENT["paths"][path][call.method.lower()]
        headers = {one["name"]: one["required"] for one in operation["parameters"] if one["in"] == "header"}
        assert headers == {"idempotency-key": True}


def test_every_operation_has_a_name_of_its_own_in_plain_words() -> None:
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert [one for one in ids if not re.fullmatch(r"[a-z]+(_[a-z]+){0,3}", one) or "api" in one] == []
    assert {"me", "sign_in", "refresh", "sign_out"} <= set(ids)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_error_has_the_one_shape(name: str, operation: dict[str, Any]) -> None:
    assert operation["description"], name
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            (content,) = answer["content"].values()
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, (name, status)
            assert set(answer["content"]) == {"application/problem+json"}, (name, status)
