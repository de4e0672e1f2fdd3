"""The backlog is the same in every run, and what it says it is."""

from __future__ import annotations

import pytest

from bench.crowd import Crowd, number_of
from bench.workload import conversations, messages
from schemas.inbound import Message


@pytest.mark.parametrize("count", [1, 10, 995, 2_000])
def test_one_new_conversation_in_ten_messages(count: int) -> None:
    said = list(messages(count))

    assert len({one.key for one in said}) == conversations(count) == sum(one.opens for one in said)
    assert len({one.value for one in said}) == count


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(messages(100)) == list(messages(100))
    assert list(messages(100)) != list(messages(100, seed=1))


def test_records_are_what_the_schema_says() -> None:
    for said in messages(200):
        message = Message.model_validate_json(said.value)
        assert message.key.encode() == said.key


def test_only_customers_with_an_agent_write_again() -> None:
    crowd = Crowd(seed=1)
    first = crowd.next()[1]
    assert all(crowd.next()[1].opens for _ in range(5))

    crowd.has_agent(first.key.decode())
    number, again = crowd.next()

    assert again.key == first.key
    assert number_of(Message.model_validate_json(again.value).text or "") == number
