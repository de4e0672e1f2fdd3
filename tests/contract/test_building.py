"""Records that are built without validating."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticSerializationError

from schemas.assignments import Cause, Why
from schemas.building import build


def test_a_built_record_is_the_one_that_validating_makes() -> None:
    fields = {"method": "claim", "by": "agent:acme/an", "exceeds": ("offline",), "passed_over": {"gap": 1}}

    assert build(Why, fields) == Why.model_validate(fields)
    assert build(Why, fields).model_dump_json() == Why.model_validate(fields).model_dump_json()


def test_what_is_left_out_has_its_default_and_shares_it_with_no_other() -> None:
    one, other = build(Why, {"method": "claim"}), build(Why, {"method": "claim"})

    assert one == Why(method="claim")
    assert one.passed_over is not other.passed_over


def test_a_built_record_can_be_copied_with_changes() -> None:
    assert build(Cause, {"partition": 1, "offset": 2}).model_copy(update={"offset": 3}) == Cause(
        partition=1, offset=3
    )


def test_a_field_that_the_schema_does_not_have_is_told_at_once() -> None:
    with pytest.raises(TypeError, match="Cause has no field lane"):
        build(Cause, {"partition": 1, "offset": 2, "lane": 3})


def test_a_record_without_a_field_that_it_needs_cannot_be_written() -> None:
    with pytest.raises(PydanticSerializationError):
        build(Cause, {"partition": 1}).model_dump_json()
