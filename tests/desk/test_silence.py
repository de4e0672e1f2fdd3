"""Whatever is silent, wakes and ends: nobody is given more than he takes, nor more than twice if all wake."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.asks import Release
from schemas.assignments import Assigned
from schemas.commands import Command
from schemas.definitions import Agent
from tests.desk.flows import give_policy, rule_with, silent, touched
from tests.desk.log import an_agent, ask, configure, route, session_ended
from tests.desk.scene import Scene, restarted, snapshot

USERS = tuple(f"u{number}" for number in range(9))
WHAT = ("silent", "silent", "silent", "wakes", "ends", "released")
capacities = st.sampled_from((1, 1, 2, None))


class Day:
    """Two agents in turn; every customer writes whose session has ended."""

    def __init__(self, agents: list[Agent]) -> None:
        self.scene = Scene()
        self.scene.do(configure(agents, [rule_with("an", "binh", after_refusal="next")]))
        give_policy(self.scene, silent_after_s=60)
        self._sessions = Counter[str]()
        for user in USERS:
            self.writes(user)

    def writes(self, user: str) -> None:
        """His next session begins."""
        self._sessions[user] += 1
        self.do(route(user, self._sessions[user]))

    def happens(self, what: str, user: str) -> None:
        """One of WHAT, to this customer."""
        session = self._sessions[user]
        holder = self.scene.conversation(user).holder
        match what:
            case "silent":
                self.do(silent(user, session))
            case "wakes":
                self.do(touched(user, session=session))
            case "ends":
                self.do(session_ended(user, session))
                self.writes(user)
            case _ if holder is not None:
                self.do(ask(Release, user, holder))

    def do(self, command: Command) -> None:
        """Nobody is given anything when he has no room, and nobody waits who may be given to one who has."""
        for event in self.scene.do(command):
            if isinstance(event, Assigned):
                self.check(event.holder or "")
        for one in self.scene.desk.conversations.values():
            if one.standing == "queued":
                assert not any(map(self.has_room, {"an", "binh"} - one.declined))

    def check(self, agent: str) -> None:
        """After the one command that gave him any, which adds no load otherwise."""
        definition = self.scene.desk.roster.agents[agent].definition
        for capacity in (definition.capacity, definition.channel_capacity.get("zalo")):
            if capacity is not None:
                assert self.held(agent).total() <= 2 * capacity
                assert self.held(agent)[False] <= capacity

    def has_room(self, agent: str) -> bool:
        """As a scan of all conversations says."""
        definition, held = self.scene.desk.roster.agents[agent].definition, self.held(agent)
        limits = (definition.capacity, definition.channel_capacity.get("zalo"))
        return all(limit is None or (held[False] < limit and held.total() < 2 * limit) for limit in limits)

    def held(self, agent: str) -> Counter[bool]:
        """How many open sessions he has, by whether they are silent."""
        all_ = self.scene.desk.conversations.values()
        return Counter(one.silent for one in all_ if one.holder == agent and one.session_open)


@given(
    limits=st.lists(st.tuples(capacities, capacities), min_size=2, max_size=2),
    happenings=st.lists(st.tuples(st.sampled_from(WHAT), st.sampled_from(USERS)), max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_nobody_is_given_one_beyond_his_capacity_nor_beyond_twice_of_it_with_those_that_would_wake(
    limits: list[tuple[int | None, int | None]], happenings: list[tuple[str, str]]
) -> None:
    day = Day(
        [
            an_agent(name, own).model_copy(update={"channel_capacity": {"zalo": zalo} if zalo else {}})
            for name, (own, zalo) in zip(("an", "binh"), limits, strict=True)
        ]
    )
    for what, user in happenings:
        day.happens(what, user)
    assert snapshot(restarted(day.scene.desk)) == snapshot(day.scene.desk)
