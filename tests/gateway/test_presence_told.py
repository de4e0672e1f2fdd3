"""Nobody stays offline with an open socket: whatever a desk missed of its gateway, it is told again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from config.settings import Settings
from tests.gateway.ground import gateway, shop, sign_in
from tests.waiting import until
from workers.channels.publisher import Publisher, UnpublishedError
from workers.channels.records import Outgoing
from workers.gateway.presence import Presences
from workers.gateway.presence_teller import PresenceTeller
from workers.gateway.roster import Rosters

BACK = "SELECT FROM desk_presence WHERE agent_id = 'lan' AND presence = 'online' AND version >= 3"
LAN, MINH = ("shop", "lan"), ("shop", "minh")


class Kafka:
    """Takes records, or is away."""

    def __init__(self) -> None:
        self.away = False
        self.told: list[tuple[str, str | None]] = []
        self.presences: list[tuple[str, bool | None]] = []

    async def publish(self, records: Sequence[Outgoing]) -> None:
        if self.away:
            raise UnpublishedError("Kafka is away.")
        said = [(one.what, orjson.loads(one.value)) for one in records]
        self.told += [(what, value.get("agent")) for what, value in said]
        self.presences += [(one["presence"], one["away"]) for what, one in said if what == "set_presence"]


class Desks:
    """Everybody is of one desk, as a roster says."""

    async def of(self, _: str) -> Any:  # noqa: ANN401 - a part of a Roster
        return SimpleNamespace(desk_of={"lan": "main", "minh": "main"})


def teller(kafka: Kafka, presences: Presences) -> PresenceTeller:
    publisher, rosters = cast("Publisher", kafka), cast("Rosters", Desks())
    return PresenceTeller("g1", cast("Any", None), presences, rosters, publisher)


@pytest.mark.parametrize("is_away", [True, False], ids=["without Kafka", "frozen"])
async def test_after_a_long_silence_all_is_told_anew(is_away: bool) -> None:
    kafka, presences = Kafka(), Presences(idle_s=300, grace_s=15)
    telling = teller(kafka, presences)
    presences.came(LAN, 0)
    await telling.tell(0)
    assert kafka.told == [("gateway_alive", None), ("set_presence", "lan")]
    await telling.tell(9)
    await telling.tell(10)
    assert kafka.told[2:] == [("gateway_alive", None)]
    kafka.away = is_away
    presences.came(MINH, 11)
    for now_s in range(11, 60) if is_away else ():
        with pytest.raises(UnpublishedError):
            await telling.tell(now_s)
    kafka.away = False
    await telling.tell(60)
    assert kafka.told[3:] == [("gateway_alive", None), ("set_presence", "lan"), ("set_presence", "minh")]
    await telling.tell(61)
    assert len(kafka.told) == 6


async def test_what_somebody_says_of_himself_is_told_once_and_kept_by_the_desk_alone() -> None:
    kafka, presences = Kafka(), Presences(idle_s=300, grace_s=15)
    telling = teller(kafka, presences)
    presences.came(LAN, 0)
    await telling.tell(0)
    presences.active(LAN, 1, away=True)
    kafka.away = True
    with pytest.raises(UnpublishedError):
        await telling.tell(1)
    kafka.away = False
    await telling.tell(2)
    await telling.tell(3)
    presences.active(LAN, 4)
    presences.went(LAN, 4)
    await telling.tell(20)
    presences.came(LAN, 21)
    await telling.tell(21)
    presences.active(LAN, 22, away=False)
    await telling.tell(22)
    sees = [("online", None), ("online", True), ("offline", None), ("online", None), ("online", False)]
    assert kafka.presences == sees


@pytest.mark.servers
async def test_who_is_offline_for_a_desk_that_missed_his_gateway_is_back_by_himself(
    settings: Settings, topics: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The gateway's signs of life come too late, and it does not know.
    monkeypatch.setattr("workers.routing.desk.timers.SILENT_AFTER", timedelta(seconds=1))
    monkeypatch.setattr("workers.gateway.presence_teller.ALIVE_EVERY_S", 3_600.0)
    monkeypatch.setattr("workers.gateway.presence_teller.LOOK_EVERY_S", 0.2)
    monkeypatch.setattr("workers.gateway.presence_teller.HEARD_WITHIN_S", 0.2)
    async with shop(settings) as database, gateway(settings) as http:
        lan = await sign_in(http, "lan")
        async with lan.signed_in() as tab:
            await tab.recv()
            await until(database, BACK)
