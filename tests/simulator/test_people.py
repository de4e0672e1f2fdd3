"""Invented customers are plausible, and the same for the same seed."""

from __future__ import annotations

from random import Random

import pytest

from workers.local.simulator.customer import Customer
from workers.local.simulator.mix import Mix
from workers.local.simulator.people import invent_name, invent_text


def test_a_seed_invents_the_same_talk() -> None:
    def talk(seed: int) -> list[str]:
        random = Random(seed)
        name = invent_name(random)
        return [name, *(invent_text(random, name, number) for number in range(20))]

    assert talk(1) == talk(1) != talk(2)
    assert all(text and "{" not in text for seed in range(50) for text in talk(seed))


def test_a_customer_names_his_conversation() -> None:
    customer = Customer("zalo", "5797", "2468", "Nguyễn Thị Lan")
    assert (customer.page, customer.conversation) == ("zalo:5797", "zalo:5797:2468")


def test_a_share_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"duplicate is 1\.5: a share is from 0 to 1"):
        Mix(duplicate=1.5)
