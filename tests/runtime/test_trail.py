"""Where a lane has read its inputs to is told with its events, and comes back in the order of reading."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.runtime.batch import Event
from workers.runtime.identity import FORWARDED_FROM
from workers.runtime.trail import READ_TO, mark, may_tell, onward, portions_of

INPUTS = ("assignments", "actions", "inbound")
OWN = Event("messages", None, b"key", b"{}", [("ce_id", b"1")])

steps = st.lists(st.tuples(*[st.integers(0, 3)] * 3).filter(any), max_size=30)


def ends_of(moved: list[tuple[int, ...]]) -> list[dict[str, int]]:
    at, found = [0, 0, 0], []
    for step in moved:
        at = [offset + more for offset, more in zip(at, step, strict=True)]
        found.append(dict(zip(INPUTS, at, strict=True)))
    return found


@given(moved=steps, start=st.integers(0, 30), chance=st.randoms(use_true_random=False))
def test_portions_come_back_in_their_order_from_where_the_lane_stands(
    moved: list[tuple[int, ...]], start: int, chance: object
) -> None:
    ends = ends_of(moved)
    told = [portion for one in ends for portion in portions_of(_told(one), INPUTS)]
    chance.shuffle(told)  # type: ignore[attr-defined]  # as topics are read in any order
    stands = ([dict.fromkeys(INPUTS, 0), *ends])[min(start, len(ends))]
    assert onward([*told, *told], stands) == ends[min(start, len(ends)) :]


def test_an_event_tells_of_the_portions_before_it_that_had_none() -> None:
    portions = ends_of([(0, 0, 2), (1, 0, 0)])
    headers = dict(mark(OWN, portions, INPUTS).headers)
    assert headers == {"ce_id": b"1", READ_TO: b"0,0,2;1,0,2"}
    assert portions_of(headers[READ_TO], INPUTS) == portions


def test_what_a_lane_only_passes_on_stays_as_it_came() -> None:
    assert may_tell(OWN)
    assert not may_tell(OWN._replace(topic="deadletter"))
    assert not may_tell(OWN._replace(headers=[(FORWARDED_FROM, b"intake/1/inbound/2")]))


def test_a_trail_of_other_inputs_is_none() -> None:
    assert portions_of(b"1,2", INPUTS) == []
    assert portions_of(b"", INPUTS) == []


def _told(ends: dict[str, int]) -> bytes:
    return dict(mark(OWN, [ends], INPUTS).headers)[READ_TO]
