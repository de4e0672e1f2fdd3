"""Random histories of a desk: each decision is checked from its events, and they are folded elsewhere."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.assignments import Assigned, ChainEvent, Queued
from schemas.commands import Command, Configure
from schemas.definitions import Agent, Department, Rule
from schemas.outcomes import Done, Refused
from tests.desk.log import DESK, WORKSPACE, Log, a_rule, an_agent, configure, route, session_ended
from tests.desk.scene import reread, restarted, snapshot
from workers.routing.desk.apply import Decided, apply
from workers.routing.desk.decide import decide
from workers.routing.desk.desk import Desk

AGENTS = ("an", "binh", "chi", "dung", "em")
PAGES = ("zalo:1", "zalo:2", "messenger:3")
USERS = tuple(f"u{number}" for number in range(9))

some_agents = st.lists(st.sampled_from(AGENTS), unique=True, max_size=len(AGENTS))
capacities = st.sampled_from((None, None, 1, 1, 2, 3))


@st.composite
def rosters(draw: st.DrawFn) -> tuple[list[Agent], list[Department], list[Rule]]:
    """Agents, two departments and up to three rules over three pages; nothing unknown is named."""
    known = draw(st.lists(st.sampled_from(AGENTS), unique=True, min_size=1))
    of_known = st.lists(st.sampled_from(known), unique=True)
    agents = [an_agent(agent, draw(capacities)) for agent in known]
    departments = [Department(id=id_, name=id_, agents=tuple(draw(of_known))) for id_ in ("sale", "ky-thuat")]
    rules = [
        a_rule(
            *draw(of_known),
            id_=id_,
            pages=draw(st.lists(st.sampled_from(PAGES), unique=True)),
            departments=draw(st.sampled_from(((), ("sale",), ("ky-thuat", "sale")))),
        )
        for id_ in draw(st.permutations(("r1", "r2", "r3")).flatmap(_some_first))
    ]
    return agents, departments, rules


def _some_first(ids: list[str]) -> st.SearchStrategy[list[str]]:
    return st.integers(0, len(ids)).map(lambda count: list(ids[:count]))


class Fairness:
    """How far apart the counts of any two agents of a rule have been while both were eligible throughout."""

    def __init__(self) -> None:
        self._extremes: dict[tuple[str, str, str], tuple[int, int, int]] = {}

    def note(self, desk: Desk, event: object) -> None:
        """Count `event`, after which `desk` is given; raises when a spread is more than one."""
        if isinstance(event, Assigned):
            self._count(event.why.rule or "", event.holder)
        for name, ring in desk.rings.items():
            eligible = {one.agent for one in ring.candidates if one.passed_over is None}
            for pair in permutations(AGENTS, 2):
                if eligible.issuperset(pair):
                    self._extremes.setdefault((name, *pair), (0, 0, 0))
                else:
                    self._extremes.pop((name, *pair), None)

    def _count(self, rule_: str, agent: str | None) -> None:
        for (name, one, other), (now, low, high) in self._extremes.items():
            if name == rule_ and agent in (one, other):
                then = now + (1 if agent == one else -1)
                lowest, highest = min(low, then), max(high, then)
                assert highest - lowest <= 1, f"{rule_}: {one} and {other} are {highest - lowest} apart"
                self._extremes[name, one, other] = (then, lowest, highest)


class DeskMachine(RuleBasedStateMachine):
    """A desk, what a consumer makes of its events, and what intake knows of the sessions."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(WORKSPACE, DESK)
        self.folded = Desk(WORKSPACE, DESK)
        self.log = Log(step_ms=0)  # all at one moment: only the log's order tells them apart
        self.sessions: Counter[str] = Counter()
        self.open: set[str] = set()
        self.pages: dict[str, str] = {}
        self.last: dict[str, tuple[object, ChainEvent]] = {}
        self.fairness = Fairness()
        self.asked = 0
        self.configured: Configure | None = None

    @rule(roster=rosters())
    def reconfigure(self, roster: tuple[list[Agent], list[Department], list[Rule]]) -> None:
        agents, departments, rules = roster
        self.asked += 1
        self.configured = configure(
            agents, rules, departments=departments, pages=PAGES, idempotency_key=f"k{self.asked}"
        )
        assert isinstance(self.do(self.configured)[-1], Done)

    @rule()
    def configure_again(self) -> None:
        if self.configured is None:
            return
        assert self.do(self.configured) == []
        other = self.configured.model_copy(update={"agents": (*self.configured.agents, an_agent("moi"))})
        (refused,) = self.do(other)
        assert isinstance(refused, Refused)
        assert refused.code == "key_reused"

    @rule(user=st.sampled_from(USERS), page=st.sampled_from(PAGES))
    def customer_writes(self, user: str, page: str) -> None:
        page = self.pages.setdefault(user, page)
        if user in self.open:
            opens = False
        else:
            opens = True
            self.open.add(user)
            self.sessions[user] += 1
        assert self.do(route(user, self.sessions[user], page=page, opens_session=opens))

    @rule(user=st.sampled_from(USERS), back=st.integers(0, 1))
    def session_ends(self, user: str, back: int) -> None:
        if user not in self.pages:
            return
        session = self.sessions[user] - back
        expected = user in self.open and not back
        if not back:
            self.open.discard(user)
        assert bool(self.do(session_ended(user, session, page=self.pages[user]))) == expected

    @rule()
    def worker_restarts(self) -> None:
        fresh = restarted(self.desk)
        fresh.outcomes = self.desk.outcomes
        assert snapshot(fresh) == snapshot(self.desk)
        self.desk = fresh

    def do(self, command: Command) -> list[object]:
        place = self.log.next()
        before = snapshot(self.desk)
        decided = decide(self.desk, command, place)
        assert snapshot(self.desk) == before, "a decision has changed the desk"
        assert decide(self.desk, command, place) == decided
        for one in decided:
            self.check(one)
            apply(self.desk, one)
            apply(self.folded, reread(one))
            self.fairness.note(self.desk, one.event)
        return [one.event for one in decided]

    def check(self, one: Decided) -> None:
        event = one.event
        if not isinstance(event, ChainEvent):
            return
        self.check_link(one, event)
        assert (event.holder is None) == (event.care in ("new", "waiting"))
        assert (event.holder is not None) == (event.standing == "held")
        if isinstance(event, Assigned):
            self.check_assigned(event)
        if isinstance(event, Queued) and not self.desk.conversations[event.key].waited_since:
            assert not self.desk.rings[event.rule].eligible

    def check_link(self, one: Decided, event: ChainEvent) -> None:
        id_, last = self.last.get(event.key, (None, None))
        assert event.previous == id_
        assert event.seq == (last.seq + 1 if last else 1)
        newly_held = event.holder is not None and (last is None or last.holder != event.holder)
        assert event.epoch == (last.epoch if last else 0) + newly_held
        self.last[event.key] = one.id, event

    def check_assigned(self, event: Assigned) -> None:
        assert event.holder is not None
        assert event.why.rule is not None
        agent = self.desk.roster.agents[event.holder]
        load = sum(one.burdens == event.holder for one in self.desk.conversations.values())
        capacity = agent.definition.capacity
        assert agent.active
        assert capacity is None or load < capacity
        assert event.holder in self.agents_of(event.why.rule)
        queued_at = self.desk.conversations[event.key].waiting
        assert event.why.queued_at == (queued_at.queued_at if queued_at else None)
        assert queued_at == self.desk.queue.first(event.why.rule)

    def agents_of(self, rule_: str) -> set[str]:
        definition = self.desk.roster.rules[rule_].definition
        departments = (self.desk.roster.departments[one].definition.agents for one in definition.departments)
        return set(definition.agents).union(*departments)

    @invariant()
    def events_fold_to_the_same_desk(self) -> None:
        assert snapshot(self.folded) == snapshot(self.desk)

    @invariant()
    def rings_hold_whom_the_rules_name(self) -> None:
        for name, entry in self.desk.roster.rules.items():
            named = self.agents_of(name) if entry.active else set()
            assert set(self.desk.rings[name].agents) == named

    @invariant()
    def nobody_waits_while_somebody_is_eligible(self) -> None:
        loads = Counter(one.burdens for one in self.desk.conversations.values())
        for one in self.desk.conversations.values():
            assert (one.standing == "idle") <= (not one.session_open)
            if one.standing != "queued" or one.rule is None:
                continue
            assert one.session_open
            assert one.page in self.desk.roster.rules[one.rule].definition.pages
            for agent in self.agents_of(one.rule):
                entry = self.desk.roster.agents[agent]
                capacity = entry.definition.capacity
                assert not entry.active or (capacity is not None and loads[agent] >= capacity)


DeskMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestDesk = DeskMachine.TestCase
