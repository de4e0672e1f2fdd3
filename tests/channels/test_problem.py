"""Errors are called as RFC 9110 calls them, whatever this Python does."""

from __future__ import annotations

import orjson
import pytest
from starlette.exceptions import HTTPException

from workers.channels.problem import http_problem, title_of
from workers.gateway.problem import of_framework


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (404, "Not Found"),
        (413, "Content Too Large"),
        (414, "URI Too Long"),
        (416, "Range Not Satisfiable"),
        (422, "Unprocessable Content"),
    ],
)
def test_a_status_has_one_name_in_every_python(status: int, title: str) -> None:
    assert title_of(status) == title


def test_so_has_the_code_of_what_the_framework_refuses() -> None:
    refused = HTTPException(416)
    assert of_framework(refused).code == "range_not_satisfiable"
    assert orjson.loads(http_problem(refused).body)["type"] == "urn:tongdai:problem:range_not_satisfiable"
