"""What a witness names tells in which phase of a run it was written."""

from __future__ import annotations

import pytest

from checker.murmur2 import partition_of
from faults.blame import Place, phase_at, place_of
from faults.town import DESK_KEY

PARTITIONS = {"messages": 6, "commands": 3}
DESK = partition_of(DESK_KEY.encode(), 3)
WITNESSES = {
    "messages partition 1, offset 49: position 6 comes after 3": Place("messages", 1, 49),
    "cli asked configure, key c-0, at commands partition 2, offset 0: 0 outcomes": Place("commands", 2, 0),
    "claim of agent-03 at offset 137, zalo:2003:u121: is done": Place("commands", DESK, 137),
    "zalo:2002:u7 seq 4 (assigned, command at offset 18): is nobody's": Place("commands", DESK, 18),
    "nothing partition 1, offset 2": None,
    "lane notifier 0: batch 21 is still pending": None,
}


@pytest.mark.parametrize(("witness", "place"), WITNESSES.items(), ids=range(len(WITNESSES)))
def test_the_record_that_a_witness_names_is_found(witness: str, place: Place | None) -> None:
    assert place_of(witness, PARTITIONS) == place


@pytest.mark.parametrize(("at_ms", "phase"), [(5, 0), (10, 0), (19, 0), (20, 1), (99, 1)])
def test_it_was_written_in_the_last_phase_that_had_begun(at_ms: int, phase: int) -> None:
    assert phase_at(at_ms, [10, 20]) == phase
