"""What workers write by orjson is what pydantic would have written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from types import NoneType
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel

from schemas.assignments import Cause, Confirmed
from schemas.building import build
from schemas.catalogue import RECORDS
from schemas.definitions import Hours, Stretch
from schemas.envelope import Kind
from schemas.outcomes import Done
from schemas.writing import _plainly, written
from workers.contract.examples import EXAMPLES

MOMENTS = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001  hypothesis wants it so
    timezones=st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-720, 840)),
)


@pytest.mark.parametrize("kind", EXAMPLES, ids=str)
def test_every_kind_of_record_is_written_as_pydantic_writes_it(kind: Kind) -> None:
    record = RECORDS[kind].model_validate(EXAMPLES[kind].value)
    assert written(record) == record.model_dump_json().encode()


HOURS = Hours(
    stretches=(Stretch(days=("mon",), begins=time(8), ends=time(17, 30, 15, 500_000)),),
    holidays=(date(2026, 9, 2),),
)


@pytest.mark.parametrize(
    ("kind", "name", "changed"),
    [
        ("rule_changed", "rule", {"conditions": {"hours": HOURS}}),
        ("policy_changed", "policy", {"hours": HOURS}),
    ],
)
def test_so_are_business_hours(kind: str, name: str, changed: dict[str, object]) -> None:
    example = orjson.loads(orjson.dumps(EXAMPLES[Kind("roster", kind)].value))
    record = RECORDS[Kind("roster", kind)].model_validate({**example, name: {**example[name], **changed}})
    assert written(record) == record.model_dump_json().encode()


def test_whatever_a_record_can_hold_can_be_written() -> None:
    leaves = {leaf for model in RECORDS.values() for leaf in leaves_of(model)}
    known_to_orjson: set[object] = {str, int, bool, float, NoneType, UUID, dict, Any}
    of_datetimes: set[object] = {AwareDatetime}
    for leaf in leaves - known_to_orjson - of_datetimes:
        assert callable(_plainly(leaf))


def leaves_of(type_: object, known: set[object] | None = None) -> Iterator[type]:
    """The types of all values in what is of this type."""
    known = set() if known is None else known
    type_ = getattr(type_, "__value__", type_)
    if type_ in known or get_origin(type_) is Literal:
        return
    known.add(type_)
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        for field in type_.model_fields.values():
            yield from leaves_of(field.annotation, known)
    elif get_origin(type_) is not None:
        for argument in get_args(type_):
            yield from leaves_of(argument, known)
    elif isinstance(type_, type):
        yield type_


@given(
    at=MOMENTS,
    result=st.dictionaries(
        st.text(), st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(), max_size=4
    ),
)
def test_so_are_any_moment_and_any_text(at: datetime, result: dict[str, object]) -> None:
    names = dict.fromkeys(("workspace", "desk", "actor", "idempotency_key", "command", "request_sha256"), "é")
    outcome = build(Done, {**names, "at": at, "result": result})
    assert written(outcome) == outcome.model_dump_json().encode()


def test_a_field_that_is_missing_fails() -> None:
    with pytest.raises(TypeError, match="_Missing"):
        written(build(Confirmed, {"cause": Cause(partition=0, offset=1)}))
