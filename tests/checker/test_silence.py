"""The checker counts silent sessions as the desk does: a desk that counts otherwise is caught."""

from __future__ import annotations

import pytest

from schemas.commands import Command
from schemas.definitions import Agent, Policy
from tests.checker.histories import History, faults
from tests.desk.flows import rule_with, silent
from tests.desk.log import an_agent, configure, route, session_ended
from tests.desk.scene import Scene
from workers.routing.desk import duty

AGENTS = {
    "at all": an_agent("an", 1),
    "of the channel": an_agent("an").model_copy(update={"channel_capacity": {"zalo": 1}}),
}
DAY: tuple[Command, ...] = (
    *(command for user in ("lan", "minh", "tuan") for command in (route(user), silent(user))),
    session_ended("lan"),
)


def seen(agent: Agent) -> set[str]:
    """What the checker finds in the day of an agent who takes one customer, and all of whose fall silent."""
    scene, history = Scene(), History()
    configured = configure([agent], [rule_with("an")])
    policy = {"policy": Policy(silent_after_s=60)}
    for command in (configured.model_copy(update=policy), *DAY):
        before = len(scene.decided)
        scene.do(command)
        history.note(command, scene.log.offset, scene.log.now, scene.decided[before:])
    return set(faults(history.told(scene.desk)))


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
@pytest.mark.parametrize(
    ("awake_max", "found"),
    [
        (2, set()),
        (3, {"nobody was automatically assigned above capacity or outside of the rule"}),
        (1, {"nobody waits while an agent of the rule is eligible"}),
    ],
    ids=["as said", "too many", "too few"],
)
def test_silent_sessions_are_free_only_of_as_many_as_he_takes(
    monkeypatch: pytest.MonkeyPatch, agent: Agent, awake_max: int, found: set[str]
) -> None:
    monkeypatch.setattr(duty, "AWAKE_MAX", awake_max)
    assert seen(agent) == found
