"""What goes wrong with one lane while lanes are recovered, and what of it concerns the others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from config.settings import Settings
from workers.runtime.failures import UnconfirmedError
from workers.runtime.identity import LaneName
from workers.runtime.kind_recovery import KindRecovery
from workers.runtime.ledger import StoredLane
from workers.runtime.losses import Place
from workers.runtime.protocol import Row
from workers.runtime.published import Published
from workers.runtime.recovery import Failed, Recovered, _Recovery
from workers.runtime.seized import Seized
from workers.runtime.topology import Topology

TOPOLOGY = Topology("t", {"actions": 4, "inbound": 4}, {})
INPUTS = ("actions", "inbound")


def seized(lane: int, trail: bytes = b"") -> Seized:
    """A lane that stands at 5 and 5; by its trail it was further already."""
    places = dict.fromkeys(INPUTS, Place(5))
    row = Row(7, {"actions": 5, "inbound": 5}, None, stopped="by a test")
    found = Seized(LaneName("intake", lane), StoredLane(row, 1_000), places, {})
    found.take(Published(found.name, "an-event", trail))
    return found


class Kind:
    """Lanes of a kind that can all be recovered."""

    handler = SimpleNamespace(inputs=INPUTS)

    async def finish(self, *_: object) -> int:
        return 0


def a_recovery() -> Any:  # noqa: ANN401 - its insides are looked at
    """One that a desk's lane has failed in."""
    recovery: Any = _Recovery(Settings(), TOPOLOGY, None, accept_loss=False)
    recovery._kinds = {"desk": Kind(), "intake": Kind(), "notifier": Kind()}
    recovery._results[LaneName("desk", 2)] = Failed("desk", 2, "by a test")
    return recovery


async def test_nothing_is_done_again_on_tables_that_are_not_recovered_themselves() -> None:
    recovery = a_recovery()
    await recovery._try(seized(1, b"7,5"))
    result = recovery._results[LaneName("intake", 1)]
    assert isinstance(result, Failed)
    assert "desk/2 is to be recovered first" in result.error


async def test_a_lane_that_does_nothing_again_does_not_wait_for_others() -> None:
    recovery = a_recovery()
    await recovery._try(seized(1))
    assert recovery._results[LaneName("intake", 1)] == Recovered("intake", 1, 0, 1, 0, {})


async def test_behind_an_unconfirmed_transaction_nothing_more_is_published_in_that_term() -> None:
    asked: list[object] = []

    async def publish_surely(events: object, offsets: object) -> None:
        asked.append(offsets)
        raise UnconfirmedError("Kafka did not confirm the transaction; repeat")

    handler: Any = SimpleNamespace(kind="intake", inputs=INPUTS)
    term: Any = SimpleNamespace(publish_surely=publish_surely)
    recovery = a_recovery()
    recovery._kinds["intake"] = KindRecovery(handler, TOPOLOGY, Settings(), None, term)
    for lane in (0, 1):
        await recovery._try(seized(lane))
        assert isinstance(recovery._results[LaneName("intake", lane)], Failed)
    assert asked == [{0: (7, {"actions": 5, "inbound": 5})}]
