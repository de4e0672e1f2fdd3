"""What workers write by orjson is what pydantic would have written."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.assignments import Cause, Confirmed
from schemas.building import build
from schemas.catalogue import RECORDS
from schemas.envelope import Kind
from schemas.outcomes import Done
from schemas.writing import written
from workers.contract.examples import EXAMPLES

MOMENTS = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001  hypothesis wants it so
    timezones=st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-720, 840)),
)


@pytest.mark.parametrize("kind", EXAMPLES, ids=str)
def test_every_kind_of_record_is_written_as_pydantic_writes_it(kind: Kind) -> None:
    record = RECORDS[kind].model_validate(EXAMPLES[kind].value)
    assert written(record) == record.model_dump_json().encode()


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
