"""Random histories of a desk: each decision is checked from its events, and they are folded elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import permutations, takewhile

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.asks import (
    Appoint,
    Claim,
    ConversationAsk,
    Follow,
    Release,
    ReplyClaim,
    TakeOff,
    TakeOver,
    Unfollow,
)
from schemas.assignments import Assigned, ChainEvent, Offered, Queued
from schemas.commands import Command, Configure, TimerFired
from schemas.definitions import Agent, Department, Fallback, Page, Rule
from schemas.outcomes import Done, Outcome, Refused
from tests.desk.log import (
    DESK,
    WORKSPACE,
    Log,
    a_rule,
    an_agent,
    ask,
    configure,
    key_of,
    route,
    session_ended,
)
from tests.desk.scene import Snapshot, reread, restarted, snapshot
from workers.routing.desk.access import is_asked, is_at_work
from workers.routing.desk.apply import Decided, apply
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import ways
from workers.routing.desk.decide import carry_out, decide
from workers.routing.desk.desk import Desk
from workers.routing.desk.fork import Fork

AGENTS = ("an", "binh", "chi", "dung", "em")
PAGES = ("zalo:1", "messenger:3")
USERS = tuple(f"u{number}" for number in range(9))

capacities = st.sampled_from((None, 1, 1, 2, 3))
methods = st.sampled_from(("round_robin", "round_robin", "least_busy", "self_claim", "appoint"))
nth = st.integers(0, 99)
BY_ITSELF = ("round_robin", "least_busy", "last_agent", "fallback")
"""The means of the desk itself."""


@st.composite
def rosters(draw: st.DrawFn) -> tuple[list[Agent], list[Department], list[Rule]]:
    """Agents, two departments and up to three rules over three pages; nothing unknown is named."""
    known = draw(st.lists(st.sampled_from(AGENTS), unique=True, min_size=2))
    of_known = st.lists(st.sampled_from(known), unique=True)
    crew = st.one_of(st.just(known), of_known)
    agents = [an_agent(agent, draw(capacities)) for agent in known]
    departments = [Department(id=id_, name=id_, agents=tuple(draw(of_known))) for id_ in ("sale", "ky-thuat")]
    ids = draw(st.permutations(("r1", "r2", "r3")).flatmap(_some_first))
    rules = [
        a_rule(
            *draw(crew),
            id_=id_,
            pages=draw(st.lists(st.sampled_from(PAGES), unique=True, min_size=1)),
            departments=draw(st.sampled_from(((), ("sale",), ("ky-thuat", "sale")))),
            method=draw(methods),
            fallback=draw(_fallbacks(ids, known)),
            last_agent_s=draw(st.sampled_from((None, 60))),
            offer_timeout_s=draw(st.sampled_from((None, 30))),
            next_rings=[{"agents": agents_} for agents_ in draw(st.lists(of_known, max_size=2))],
            after_refusal=draw(st.sampled_from(("pool", "next", "next"))),
            reply_claims=draw(st.booleans()),
        )
        for id_ in ids
    ]
    return agents, departments, rules


def _fallbacks(rules: list[str], agents: list[str]) -> st.SearchStrategy[Fallback]:
    named = [Fallback(kind="rule", id=rule_) for rule_ in rules]
    return st.sampled_from([Fallback(), *named, *(Fallback(kind="agent", id=agent) for agent in agents[:1])])


def _some_first(ids: list[str]) -> st.SearchStrategy[list[str]]:
    return st.integers(0, len(ids)).map(lambda count: list(ids[:count]))


class Fairness:
    """How far apart the counts of any two agents of a rule have been while both were eligible throughout."""

    def __init__(self) -> None:
        self._extremes: dict[tuple[str, str, str], tuple[int, int, int]] = {}

    def note(self, desk: Desk, event: object, declined: frozenset[str]) -> None:
        """Count `event`, after which `desk` is given; raises when a spread is more than one.

        Who has declined a conversation is not eligible for it.
        """
        if isinstance(event, Assigned) and event.why.method == "round_robin":
            self._leave_out(event.why.rule or "", declined)
            self._count(event.why.rule or "", event.holder)
        for name, ring in desk.rings.items():
            eligible = {one.agent for one in ring.candidates if one.passed_over is None}
            for pair in permutations(AGENTS, 2):
                if eligible.issuperset(pair):
                    self._extremes.setdefault((name, *pair), (0, 0, 0))
                else:
                    self._extremes.pop((name, *pair), None)

    def _leave_out(self, rule_: str, declined: frozenset[str]) -> None:
        for name, one, other in list(self._extremes):
            if name == rule_ and declined & {one, other}:
                del self._extremes[name, one, other]

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
        self.carried = Desk(WORKSPACE, DESK)
        self.log = Log(step_ms=0)  # all at one moment: only the log's order tells them apart
        self.sessions: Counter[str] = Counter()
        self.open: set[str] = set()
        self.pages: dict[str, str] = {}
        self.last: dict[str, tuple[object, ChainEvent]] = {}
        self.fairness = Fairness()
        self.asked = 0
        self.configured: Configure | None = None

    @initialize(roster=rosters())
    def begins(self, roster: tuple[list[Agent], list[Department], list[Rule]]) -> None:
        self.reconfigure(roster, again=False)

    @rule(roster=rosters(), admin=st.sampled_from(("chu", *AGENTS)), again=st.booleans())
    def reconfigure(
        self,
        roster: tuple[list[Agent], list[Department], list[Rule]],
        admin: str = "chu",
        *,
        again: bool,
    ) -> None:
        if again and self.configured is not None:
            self.configure_again(self.configured)
            return
        agents, departments, rules = roster
        self.asked += 1
        admins = ("chu", admin) if admin in {agent.id for agent in agents} else ("chu",)
        pages = tuple(Page(id=page, name=page, admins=admins) for page in PAGES)
        self.configured = configure(
            agents, rules, departments=departments, idempotency_key=f"k{self.asked}"
        ).model_copy(update={"pages": pages})
        assert isinstance(self.do(self.configured)[-1], Done)

    def configure_again(self, command: Configure) -> None:
        assert self.do(command) == []
        other = command.model_copy(update={"agents": (*command.agents, an_agent("moi"))})
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

    @rule(page=st.sampled_from(PAGES))
    def another_customer_writes(self, page: str) -> None:
        user = next((user for user in USERS if user not in self.open), USERS[0])
        self.customer_writes(user, page)

    @rule(user=st.sampled_from(USERS), back=st.integers(0, 1))
    def session_ends(self, user: str, back: int) -> None:
        if user not in self.pages:
            return
        session = self.sessions[user] - back
        expected = user in self.open and not back
        if not back:
            self.open.discard(user)
        assert bool(self.do(session_ended(user, session, page=self.pages[user]))) == expected

    @rule(which=nth, model=st.sampled_from((Claim, ReplyClaim)), by=st.sampled_from(("asked", *AGENTS)))
    def somebody_claims(self, which: int, model: type[ConversationAsk], by: str) -> None:
        self.ask(which, model, by)

    @rule(which=nth, by=st.sampled_from(("holder", "holder", "an", "chu")))
    def somebody_releases(self, which: int, by: str) -> None:
        self.ask(which, Release, by)

    @rule(
        which=nth,
        model=st.sampled_from((TakeOff, TakeOver, Appoint)),
        by=st.sampled_from(("chu", "an")),
        agent=st.sampled_from(AGENTS),
        authority=st.sampled_from(("agent", "admin")),
    )
    def an_admin_asks(
        self, which: int, model: type[ConversationAsk], by: str, agent: str, authority: str
    ) -> None:
        fields = {"agent": agent} if model is Appoint else {}
        self.ask(which, model, by, authority=authority, **fields)

    @rule(which=nth, model=st.sampled_from((Follow, Follow, Unfollow)), by=st.sampled_from(AGENTS))
    def somebody_follows(self, which: int, model: type[ConversationAsk], by: str) -> None:
        self.ask(which, model, by)

    def ask(self, which: int, model: type[ConversationAsk], by: str, **fields: str) -> None:
        """Let somebody ask about one of the conversations: he has one outcome."""
        if not self.pages:
            return
        known = [
            (user, page, self.desk.conversations[key_of(user, page)]) for user, page in self.pages.items()
        ]
        standing = {"asked": "offered", "holder": "held"}.get(by)
        likely = [one for one in known if one[2].standing == standing]
        user, page, conversation = sorted(likely or known)[which % len(likely or known)]
        who = self.somebody(by, conversation)
        *_, outcome = events = self.do(ask(model, user, who, page=page, **fields))
        assert sum(isinstance(event, Outcome) for event in events) == 1
        assert isinstance(outcome, Outcome)
        if isinstance(outcome, Refused) and outcome.code == "taken":
            assert outcome.details["winner"] == conversation.holder

    def somebody(self, by: str, conversation: Conversation) -> str:
        """Its holder, or one of those to whom it is offered, where there is one; otherwise anybody."""
        if by == "holder":
            return conversation.holder or "an"
        audience = conversation.audience or ""
        asked = [agent for agent in AGENTS if by == "asked" and is_asked(self.desk, agent, audience)]
        return next(iter(asked), by if by in AGENTS else "chu")

    @rule()
    def an_offer_runs_out(self) -> None:
        ending = [one for one in self.desk.conversations.values() if one.offer_expires_at is not None]
        if not ending:
            return
        conversation = min(ending, key=lambda one: one.key)
        due_at = conversation.offer_expires_at
        assert due_at is not None
        self.log.wait(seconds=max(0, (due_at - self.log.now).total_seconds()))
        (offered,) = self.do(
            TimerFired(workspace=WORKSPACE, desk=DESK, timer="offer", subject=conversation.key, due_at=due_at)
        )
        assert isinstance(offered, Offered)
        assert offered.ring > conversation.ring or offered.expires_at is None

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
        assert carry_out(self.carried, command, place) == decided
        for one in decided:
            self.check(one)
            declined = self.declined(one.event)
            apply(self.desk, one)
            read = reread(one)
            assert read.event == one.event, "an event was built that the schema reads otherwise"
            apply(self.folded, read)
            self.fairness.note(self.desk, one.event, declined)
        return [one.event for one in decided]

    def declined(self, event: object) -> frozenset[str]:
        """Who had declined the conversation of `event` before it."""
        known = self.desk.conversations.get(event.key) if isinstance(event, ChainEvent) else None
        return known.declined if known else frozenset()

    def check(self, one: Decided) -> None:
        event = one.event
        if not isinstance(event, ChainEvent):
            return
        self.check_link(one, event)
        assert (event.holder is None) == (event.care in ("new", "waiting"))
        assert (event.holder is not None) == (event.standing == "held")
        if isinstance(event, Assigned):
            self.check_assigned(event)
        before = self.desk.conversations.get(event.key)
        if isinstance(event, Queued) and before and not before.waited_since:
            assert self.nobody_can_be_found(before, event.rule)

    def check_link(self, one: Decided, event: ChainEvent) -> None:
        id_, last = self.last.get(event.key, (None, None))
        assert event.previous == id_
        assert event.seq == (last.seq + 1 if last else 1)
        newly_held = event.holder is not None and (last is None or last.holder != event.holder)
        assert event.epoch == (last.epoch if last else 0) + newly_held
        self.last[event.key] = one.id, event

    def check_assigned(self, event: Assigned) -> None:
        assert event.holder is not None
        agent = self.desk.roster.agents[event.holder]
        before = self.desk.conversations[event.key]
        assert agent.active
        assert event.why.queued_at == before.waited_since
        if event.why.method not in BY_ITSELF:
            assert ("capacity" in event.why.exceeds) == self.is_full(event.holder)
            return
        assert event.why.rule is not None
        assert not self.is_full(event.holder)
        assert event.holder not in before.declined
        if event.why.method == "fallback":
            assert event.holder == self.desk.roster.rules[event.why.rule].definition.fallback.id
        elif event.why.method == "last_agent":
            assert event.holder in self.agents_of_any_ring(event.why.rule)
        else:
            assert event.holder in self.agents_of(event.why.rule)
        if before.waiting and before.rule:
            for other in takewhile(before.waiting.__ne__, self.desk.queue.line(before.rule)):
                assert event.holder in other.declined, "somebody was served before his turn"

    def is_full(self, agent: str) -> bool:
        capacity = self.desk.roster.agents[agent].definition.capacity
        held = [one for one in self.desk.conversations.values() if one.holder == agent and one.session_open]
        counted = [one.silent for one in held if not one.blocked]
        load = counted.count(False)
        return capacity is not None and (load >= capacity or len(counted) >= 2 * capacity)

    def nobody_can_be_found(self, conversation: Conversation, rule_: str) -> bool:
        """Whether neither the rule nor its fallbacks have anybody for it, by a scan of all agents."""
        seen: list[str] = []
        definition = self.desk.roster.rules[rule_].definition
        while True:
            if definition.method == "appoint" or any(self.asked_by(definition, conversation)):
                return False
            seen.append(definition.id)
            entry = self.desk.roster.rules.get(definition.fallback.id or "")
            if definition.fallback.kind != "rule" or entry is None or not entry.active:
                break
            if entry.definition.id in seen:
                return True
            definition = entry.definition
        agent = definition.fallback.id
        return definition.fallback.kind != "agent" or not self.can_have(agent or "", conversation)

    def asked_by(self, definition: Rule, conversation: Conversation) -> Iterator[str]:
        for agent in self.agents_of(definition.id):
            if definition.method != "self_claim" and self.can_have(agent, conversation):
                yield agent
        if definition.method == "self_claim":
            for agent in self.agents_of_any_ring(definition.id):
                if self.desk.roster.agents[agent].active and agent not in conversation.declined:
                    yield agent

    def can_have(self, agent: str, conversation: Conversation) -> bool:
        active = self.desk.roster.agents[agent].active
        return active and not self.is_full(agent) and agent not in conversation.declined

    def agents_of(self, rule_: str) -> set[str]:
        definition = self.desk.roster.rules[rule_].definition
        departments = (self.desk.roster.departments[one].definition.agents for one in definition.departments)
        return set(definition.agents).union(*departments)

    def agents_of_any_ring(self, rule_: str) -> set[str]:
        teams = self.desk.roster.rules[rule_].definition.next_rings
        departments = (self.desk.roster.departments[one] for team in teams for one in team.departments)
        of_departments = (one.definition.agents for one in departments)
        return self.agents_of(rule_).union(*(team.agents for team in teams), *of_departments)

    @invariant()
    def events_fold_to_the_same_desk(self) -> None:
        assert snapshot(self.folded) == snapshot(self.desk)

    @invariant()
    def carrying_out_leads_to_the_same_desk(self) -> None:
        assert self.seen_now(self.carried) == self.seen_now(self.desk)

    def seen_now(self, desk: Desk) -> Snapshot:
        """A limit that nobody waits for ends without an event: each desk learns of it with its next one."""
        now = Fork(desk)
        now.advance(self.log.now)
        return snapshot(now)

    @invariant()
    def rings_hold_whom_the_rules_name(self) -> None:
        for name, entry in self.desk.roster.rules.items():
            named = self.agents_of(name) if entry.active else set()
            assert set(self.desk.rings[name].agents) == named

    @invariant()
    def nobody_waits_while_somebody_is_eligible(self) -> None:
        for one in self.desk.conversations.values():
            assert (one.standing == "idle") <= (not one.session_open)
            assert (one.standing == "offered") == (one.audience is not None)
            if one.standing != "queued" or one.rule is None:
                continue
            assert one.session_open
            assert one.page in self.desk.roster.rules[one.rule].definition.pages
            assert self.nobody_can_be_found(one, one.rule)

    @invariant()
    def who_follows_as_an_admin_is_one(self) -> None:
        for one in self.desk.conversations.values():
            assert one.admin_followers <= one.followers - {one.holder}
            assert one.admin_followers <= set(self.desk.roster.pages[one.page].definition.admins)

    @invariant()
    def nobody_is_silent_to_nobody(self) -> None:
        for one in self.desk.conversations.values():
            assert one.holder is not None or not one.silent

    @invariant()
    def nobody_waits_for_whom_all_have_declined(self) -> None:
        for one in self.desk.conversations.values():
            if one.standing != "queued" or not one.declined or one.rule is None:
                continue
            definitions = [way.definition for way in ways(self.desk, self.desk.roster.rules[one.rule])]
            teams = [self.agents_of(each.id) for each in definitions]
            teams += [set(team.agents) for each in definitions for team in each.next_rings]
            named = {each.fallback.agent or "" for each in definitions}.union(*teams)
            active = {agent for agent, entry in self.desk.roster.agents.items() if entry.active}
            assert (named & active) - one.declined

    @invariant()
    def every_offer_to_a_ring_calls_somebody_and_goes_on_when_its_time_is_over(self) -> None:
        for one in self.desk.conversations.values():
            if one.offers is None:
                continue
            definition = self.desk.roster.rules[one.offers].definition
            asked = self.called(definition, one.ring, one)
            assert asked
            if definition.offer_timeout_s is not None and one.offer_expires_at is None:
                later = range(one.ring + 1, len(definition.next_rings) + 1)
                assert not any(self.called(definition, ring, one) - asked for ring in later)

    def called(self, definition: Rule, ring: int, conversation: Conversation) -> set[str]:
        """Whom an offer of it to this ring calls."""
        team = definition.next_rings[ring - 1].agents if ring else self.agents_of(definition.id)
        return {one for one in team if is_at_work(self.desk, one, definition)} - conversation.declined


DeskMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestDesk = DeskMachine.TestCase
