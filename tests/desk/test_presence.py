"""Where agents are: tabs and gateways that come and go, and what follows for those who wait."""

from __future__ import annotations

import pytest

from schemas.assignments import Assigned, Queued, TransferEnded
from schemas.outcomes import Outcome
from schemas.roster import PresenceChanged
from tests.desk.log import a_rule, configure, key_of, route
from tests.desk.people import alive, awaited, presence
from tests.desk.scene import Scene, restarted
from workers.routing.desk.conversation import Transfer
from workers.routing.desk.decision import key_of as kafka_key

RULE = a_rule("an", "binh").model_copy(update={"online_only": True})


@pytest.fixture
def scene() -> Scene:
    """A desk whose rule asks those who are online only; nobody is."""
    scene = Scene()
    scene.do(configure(["an", "binh"], [RULE]))
    return scene


def changes(scene: Scene) -> list[tuple[str, str, str]]:
    return [(event.agent, event.former, event.presence) for event in scene.events(PresenceChanged)]


def test_who_comes_online_is_given_what_waits(scene: Scene) -> None:
    queued = scene.do(route("lan"))[-1]
    assert isinstance(queued, Queued)
    assert queued.passed_over == {"offline": 2}
    events = scene.do(presence("binh"))
    assert [type(event).__name__ for event in events] == ["GatewayHeard", "PresenceChanged", "Assigned"]
    assert (events[1].version, events[1].gateways) == (1, {"g1": "online"})
    assert kafka_key(events[1]) == "agent:acme/binh"
    assert events[2].holder == "binh"


def test_an_even_split_over_all_goes_to_absent_agents_too() -> None:
    scene = Scene()
    scene.do(configure(["an"], [a_rule("an")]))
    assert isinstance(scene.do(route("lan"))[-1], Assigned)


def test_who_is_away_is_not_asked_and_who_comes_back_is(scene: Scene) -> None:
    scene.do(presence("an"))
    scene.do(presence("an", "away"))
    assert isinstance(scene.do(route("lan"))[-1], Queued)
    assert scene.do(presence("an"))[-1].holder == "an"


def test_several_gateways_make_one_presence(scene: Scene) -> None:
    scene.do(presence("an", "away", "g1"))
    scene.do(presence("an", "online", "g2"))
    scene.do(presence("an", "offline", "g1"))
    scene.do(presence("an", "offline", "g2"))
    assert changes(scene) == [
        ("an", "offline", "away"),
        ("an", "away", "online"),
        ("an", "online", "online"),
        ("an", "online", "offline"),
    ]
    assert [event.version for event in scene.events(PresenceChanged)] == [1, 2, 3, 4]


def test_who_says_that_he_is_away_is_until_he_says_that_he_is_back(scene: Scene) -> None:
    """Whatever another gateway sees of him, and however often he goes and comes."""
    scene.do(presence("an", gateway="g1", away=True))
    scene.do(presence("an", gateway="g2"))
    assert scene.desk.presence_of("an") == "away"
    for gateway in ("g1", "g2"):
        scene.do(presence("an", "offline", gateway))
    assert scene.desk.presence_of("an") == "offline"
    scene.desk = restarted(scene.desk)
    scene.do(presence("an", gateway="g3"))
    assert scene.desk.presence_of("an") == "away"
    assert isinstance(scene.do(route("lan"))[-1], Queued)
    scene.do(presence("an", gateway="g2", away=False))
    assert scene.desk.presence_of("an") == "online"
    assert scene.conversation("lan").holder == "an"
    assert scene.events(PresenceChanged)[-1].gateways == {"g2": "online", "g3": "online"}


def test_the_same_again_changes_nothing_and_has_no_outcome(scene: Scene) -> None:
    scene.do(presence("an"))
    assert len(scene.do(presence("an"))) == 1
    assert len(scene.do(presence("chi"))) == 1
    assert scene.events(Outcome)[1:] == []
    assert len(changes(scene)) == 1


def test_a_gateway_of_which_nothing_is_heard_loses_its_agents(scene: Scene) -> None:
    scene.do(presence("an", "online", "g1"))
    scene.do(presence("binh", "online", "g1"))
    scene.do(presence("binh", "away", "g2"))
    lost = next(one for one in awaited(scene, "gateway") if one.subject == "g1")
    scene.log.wait(seconds=31)
    scene.do(lost)
    assert changes(scene)[-2:] == [("an", "online", "offline"), ("binh", "online", "away")]
    assert [one.subject for one in awaited(scene, "gateway")] == ["g2"]
    assert "g1" not in scene.desk.gateways


def test_a_sign_of_life_puts_the_loss_off(scene: Scene) -> None:
    scene.do(presence("an"))
    (lost,) = awaited(scene, "gateway")
    scene.log.wait(seconds=29)
    scene.do(alive())
    scene.log.wait(seconds=2)
    assert scene.do(lost) == []
    assert scene.desk.presence_of("an") == "online"
    (later,) = awaited(scene, "gateway")
    assert (later.due_at - scene.log.now).total_seconds() == pytest.approx(28, abs=0.1)


def test_a_timer_before_its_time_loses_nobody(scene: Scene) -> None:
    scene.do(presence("an"))
    (lost,) = awaited(scene, "gateway")
    scene.log.wait(seconds=20)
    assert scene.do(lost) == []
    assert awaited(scene, "gateway") == [lost]


def test_what_is_being_transferred_to_who_goes_offline_stays_with_its_holder(scene: Scene) -> None:
    scene.do(presence("an"))
    scene.do(route("lan"))
    scene.do(presence("binh"))
    conversation = scene.conversation("lan")
    transfer = Transfer("binh", None, ("binh",), "an", "k", scene.log.now)
    scene.desk.note(conversation, conversation._replace(transfer=transfer))
    scene.desk.conversations[key_of("lan")] = conversation._replace(transfer=transfer)
    assert [type(event).__name__ for event in scene.do(presence("binh", "away"))[1:]] == ["PresenceChanged"]
    ended = scene.do(presence("binh", "offline"))[-1]
    assert isinstance(ended, TransferEnded)
    assert (ended.how, ended.agent, ended.holder) == ("target_offline", "binh", "an")
    assert scene.conversation("lan").transfer is None
    assert not any(scene.desk.transfers.values())
