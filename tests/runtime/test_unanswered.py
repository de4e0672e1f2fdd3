"""What Kafka's client leaves half said: an unknown outcome, or a dependency that is down."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalOperation

from config.settings import Settings
from workers.runtime.failures import DependencyDownError
from workers.runtime.groups import Groups
from workers.runtime.protocol import Outcome
from workers.runtime.term import Term
from workers.runtime.topology import Topology

TOPOLOGY = Topology("t", {"actions": 4, "inbound": 4})


async def test_a_producer_that_a_fence_left_outside_of_its_transaction_is_an_unknown_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails(*_: object) -> None:
        raise IllegalOperation("Can't send messages while not in transaction")

    monkeypatch.setattr(Term, "_transaction", fails)
    term = Term("t.intake.1", "t.intake", TOPOLOGY, Settings(), [object(), object()])
    assert await term.publish([], {}) is Outcome.UNKNOWN


async def test_brokers_that_do_not_know_each_other_yet_are_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_: object) -> None:
        raise AssertionError("Did we not perform bootstrap?")

    monkeypatch.setattr(AIOKafkaProducer, "start", fails)
    with pytest.raises(DependencyDownError, match="did not initialise"):
        await Term.begin("intake", TOPOLOGY, Settings())


async def test_an_answer_without_offsets_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object, **__: object) -> dict[object, object]:
        return {}

    monkeypatch.setattr(AIOKafkaAdminClient, "start", nothing)
    monkeypatch.setattr(AIOKafkaAdminClient, "close", nothing)
    monkeypatch.setattr(AIOKafkaAdminClient, "list_consumer_group_offsets", nothing)
    groups = Groups("t.intake", ("actions", "inbound"), TOPOLOGY, Settings())
    with pytest.raises(DependencyDownError, match="did not tell its offsets"):
        await groups.read([0, 1])
