"""Where a lane reads on when its log has lost something: nothing new is skipped, nothing is said twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.runtime.batch import Event
from workers.runtime.identity import LaneName
from workers.runtime.ledger import StoredLane
from workers.runtime.losses import Place, place_of
from workers.runtime.protocol import Row
from workers.runtime.published import Published
from workers.runtime.seized import Seized
from workers.runtime.topology import Topology

NAME = LaneName("intake", 0)
EVENT = Event("messages", None, b"key", b"value", [])


def seized(place: Place) -> Seized:
    stored = StoredLane(Row(7, {"inbound": 50}, None, stopped="by a test"), 1_000)
    return Seized(NAME, stored, {"inbound": place}, {"of-the-last-batch": EVENT})


def test_a_log_that_has_everything_is_read_on_where_the_row_stands() -> None:
    assert place_of(50, (20, 50), younger=None, is_other=False) == Place(50)
    assert place_of(50, (20, 90), younger=None, is_other=False) == Place(50)


def test_an_input_of_a_later_version_is_read_from_its_beginning_and_nothing_of_it_is_lost() -> None:
    assert place_of(None, (20, 50), younger=None, is_other=False) == Place(20)


def test_what_retention_took_is_lost_and_the_rest_is_read() -> None:
    assert place_of(50, (70, 90), younger=None, is_other=False) == Place(70, 20)


def test_of_a_topic_that_was_made_again_all_that_was_read_counts_as_lost() -> None:
    assert place_of(50, (0, 90), younger=None, is_other=True) == Place(0, 50)
    assert place_of(0, (0, 90), younger=None, is_other=True) == Place(0, 1)


def test_a_log_that_lost_its_end_is_read_on_at_its_end_and_not_from_its_beginning() -> None:
    assert place_of(50, (20, 30), younger=None, is_other=False) == Place(30, 20, is_cut=True)


def test_what_came_behind_the_lost_end_is_read_however_far_the_log_has_grown_since() -> None:
    assert place_of(50, (20, 35), younger=30, is_other=False) == Place(30, 20, is_cut=True)
    assert place_of(50, (20, 900), younger=30, is_other=False) == Place(30, 20, is_cut=True)


offsets = st.integers(0, 100)


@given(offsets, offsets, offsets, st.none() | offsets)
def test_nobody_goes_on_within_a_log_whose_loss_is_not_told(
    stored: int, first: int, length: int, younger: int | None
) -> None:
    end = first + length
    younger = None if younger is None or not first <= younger < min(stored, end) else younger
    place = place_of(stored, (first, end), younger=younger, is_other=False)
    assert first <= place.offset <= end
    assert place.lost == abs(stored - place.offset)


def test_what_readers_have_is_known_unless_its_offsets_are_given_to_other_records() -> None:
    whole, cut = seized(Place(50)), seized(Place(30, 20, is_cut=True))
    found = Published(NAME, "of-record-40", b"41")
    assert whole.take(found)
    assert not cut.take(found)
    topology = Topology("t", {"inbound": 1}, {})
    assert (whole.known_ahead, whole.portions(["inbound"], topology)) == (1, [])
    assert (cut.known_ahead, cut.portions(["inbound"], topology)) == (0, [])


def test_what_tells_offsets_given_twice_stays_until_the_topic_is_made_again() -> None:
    topology = Topology("t", {"inbound": 1}, {"inbound": "log"})
    cut = seized(Place(30, 20, is_cut=True))
    assert cut.cuts(topology) == {"inbound": "7"}
    later = StoredLane(
        Row(9, {"inbound": 60}, None, log_ids={"inbound": "log"}, cuts={"inbound": "7"}), 1_000
    )
    assert Seized(NAME, later, {"inbound": Place(60)}, {}).cuts(topology) == {"inbound": "7"}
    assert Seized(NAME, later, {"inbound": Place(50, 10, is_cut=True)}, {}).cuts(topology) == {"inbound": "9"}
    again = Topology("t", {"inbound": 1}, {"inbound": "another"})
    assert Seized(NAME, later, {"inbound": Place(0, 60)}, {}).cuts(again) == {}


def test_what_is_pending_and_published_is_not_published_again_either_way() -> None:
    for place in (Place(50), Place(30, 20, is_cut=True)):
        lane = seized(place)
        assert not lane.take(Published(NAME, "of-the-last-batch", b""))
        assert lane.unpublished == {}
