"""Random histories of a desk with every command and every timer that it knows; see test_properties.

Beside what is checked there: the care status goes only where it may, rounds count, an offer of its holder is
answered by those whom it is for, and no timer comes for ever.
"""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import initialize, invariant, rule

from schemas.asks import (
    Block,
    Bulk,
    ConversationAsk,
    Follow,
    GatewayAlive,
    LinkOrder,
    Mute,
    SetCapacity,
    SetCare,
    SetLeave,
    SetPresence,
    Transfer,
    TransferAccept,
    TransferCancel,
    TransferReject,
    Unblock,
    Unfollow,
    Unmute,
)
from schemas.assignments import (
    Assigned,
    CareStatus,
    ChainEvent,
    SessionClosed,
    TransferEnded,
    Transferring,
    Unassigned,
)
from schemas.commands import (
    Amend,
    Configure,
    ConversationCommand,
    OutsideAnswer,
    SessionSilent,
    TimerFired,
    Touched,
)
from schemas.definitions import Agent, Conditions, Department, Policy, Rule
from schemas.ids import conversation_id
from schemas.outcomes import Done, Outcome
from tests.desk.flows import REASONS
from tests.desk.log import DESK, WORKSPACE, ask, configure, key_of, session_ended
from tests.desk.test_properties import AGENTS, PAGES, USERS, DeskMachine, nth, rosters
from workers.routing.desk.access import is_at_work
from workers.routing.desk.apply import Decided
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import ways
from workers.routing.desk.duty import ABSENT, bar_in
from workers.routing.desk.timers import Timer, timers_of, timers_of_desk
from workers.routing.outcomes import KEPT

GATEWAYS = ("g1", "g2")
HERE = {"workspace": WORKSPACE, "desk": DESK}
Drawn = tuple[list[Agent], list[Department], list[Rule]]
OUTSIDE = ("7001", "7002")
"""Humans who answer outside: the first of them is the first agent."""
CARE: set[tuple[CareStatus, CareStatus]] = {
    *(("new", "accepted"), ("waiting", "accepted"), ("new", "waiting")),
    *(("accepted", "pending_close"), ("accepted", "closed_won"), ("accepted", "refused")),
    *(("pending_close", "closed_won"), ("pending_close", "refused")),
    *(("closed_won", "done"), ("closed_won", "refused")),
    *(("accepted", "done"), ("pending_close", "done")),
    *(("refused", "waiting"), ("done", "waiting")),
}
"""Every way of the care status, but for the loss of its agent, which always leads to `waiting`."""


@st.composite
def richer_rosters(draw: st.DrawFn) -> tuple[list[Agent], list[Department], list[Rule]]:
    """Those of test_properties, with the options that make time and presence count."""
    agents, departments, rules = draw(rosters())
    options = st.fixed_dictionaries(
        {
            "online_only": st.booleans(),
            "gap_s": st.sampled_from((None, None, 20)),
            "urgent_after_s": st.sampled_from((None, 40)),
            "offline_grace_s": st.sampled_from((None, 0, 30)),
            "conditions": st.sampled_from((Conditions(), Conditions(), Conditions(tags=("vip",)))),
            "vip_tags": st.sampled_from(((), ("gold",))),
        }
    )
    return agents, departments, [rule_.model_copy(update=draw(options)) for rule_ in rules]


policies = st.builds(
    Policy,
    reasons=st.just(REASONS),
    silent_after_s=st.sampled_from((60, 60, None)),
    transfer_timeout_s=st.sampled_from((30, 120)),
    outside_quiet_s=st.just(50),
    done_from=st.sampled_from(((), ("accepted",), ("accepted", "pending_close"))),
    former_holders_follow=st.booleans(),
)


class EveryCommand(DeskMachine):
    """The same desk, asked for everything."""

    @initialize(roster=richer_rosters(), policy=policies)
    def begins(self, roster: Drawn, policy: Policy) -> None:
        self.reconfigure(roster, policy, again=False)

    @rule(roster=richer_rosters(), policy=policies, again=st.booleans())
    def reconfigure(self, roster: Drawn, policy: Policy, *, again: bool) -> None:
        if again and self.configured is not None:
            self.configure_again(self.configured)
            return
        agents, departments, rules = roster
        self.asked += 1
        self.configured = configure(
            agents, rules, departments=departments, pages=PAGES, idempotency_key=f"k{self.asked}"
        ).model_copy(
            update={"policy": policy.model_copy(update={"outside_agents": {OUTSIDE[0]: agents[0].id}})}
        )
        assert isinstance(self.do(self.configured)[-1], Done)

    def configure_again(self, command: Configure) -> None:
        """A limit may have ended by then: whoever waited for that is served by any command."""
        first = self.desk.outcomes[command.actor, command.idempotency_key]
        remembered = self.log.now - first.at < KEPT
        events = self.do(command)
        assert any(isinstance(event, Outcome) for event in events) != remembered

    @rule(roster=richer_rosters(), count=nth)
    def parts_of_it_change(self, roster: Drawn, count: int) -> None:
        """Or nothing does, when a rule falls back on one that is not there."""
        agents, departments, rules = roster
        self.asked += 1
        owned = [one.model_copy(update={"owner": agents[0].id}) for one in rules[: count % 3]]
        named = {"actor": "cli:me", "idempotency_key": f"k{self.asked}", "version": self.desk.roster.version}
        parts = {"agents": agents, "departments": departments, "rules": owned}
        events = self.do(Amend.model_validate({**HERE, **named, **parts}))
        assert sum(isinstance(event, Outcome) for event in events) == 1

    @rule(
        agent=st.sampled_from(AGENTS),
        on_leave=st.booleans(),
        then=st.sampled_from(("keep", "pool", "next")),
        capacity=st.sampled_from((None, 1, 2)),
    )
    def an_agent_changes(self, agent: str, then: str, capacity: int | None, *, on_leave: bool) -> None:
        admin = {**HERE, "actor": "service:crm", "authority": "admin", "agent": agent}
        for model, fields in (
            (SetLeave, {"on_leave": on_leave, "then": then}),
            (SetCapacity, {"capacity": capacity}),
        ):
            self.asked += 1
            key = {"idempotency_key": f"k{self.asked}"}
            events = self.do(model.model_validate(admin | fields | key))
            assert sum(isinstance(event, Outcome) for event in events) == 1

    @rule(
        which=nth,
        model=st.sampled_from((Follow, Unfollow, Mute, Unmute, Block, Unblock, Unblock)),
        by=st.sampled_from(("holder", "an", "chu")),
    )
    def somebody_keeps_a_list(self, which: int, model: type[ConversationAsk], by: str) -> None:
        self.ask(which, model, by)

    @rule(which=nth, order=st.sampled_from(("a", "b")), status=st.sampled_from((None, "new", "done")))
    def another_system_tells_of_an_order(self, which: int, order: str, status: str | None) -> None:
        users = sorted(self.pages)
        if users:
            user = users[which % len(users)]
            named = {"page": self.pages[user], "authority": "admin"}
            self.do(ask(LinkOrder, user, None, **named, order=order, status=status))

    @rule(which=nth, days=st.sampled_from((7, 30)))
    def somebody_blocks_for_a_while(self, which: int, days: int) -> None:
        held = sorted(self.held())
        if held:
            user = held[which % len(held)]
            self.do(ask(Block, user, "chu", page=self.pages[user], days=days))

    @rule(what=st.sampled_from(("appoint", "release", "take_over", "take_off", "follow")), count=nth)
    def an_admin_asks_for_many(self, what: str, count: int) -> None:
        keys = sorted(self.desk.conversations)[: count % 4 + 1]
        if not keys:
            return
        self.asked += 1
        named = {"actor": "agent:acme/chu", "by": "chu", "idempotency_key": f"k{self.asked}", "what": what}
        subjects = [{"conversation": conversation_id(key), "key": key} for key in keys]
        agent = {"agent": "an"} if what == "appoint" else {}
        events = self.do(Bulk.model_validate({**HERE, **named, **agent, "subjects": subjects}))
        assert sum(isinstance(event, Outcome) for event in events) == 1

    @rule(which=nth)
    def a_case_is_done_and_comes_back(self, which: int) -> None:
        held = sorted(self.held())
        if not held:
            return
        user = held[which % len(held)]
        page = self.pages[user]
        for care, needs in (("closed_won", {}), ("done", {"outcome": "won"})):
            holder = self.desk.conversations[key_of(user, page)].holder
            self.do(ask(SetCare, user, holder, page=page, care=care, **needs))
        self.session_ends(user, 0)
        self.customer_writes(user, page)

    def held(self) -> list[str]:
        """The customers whom somebody has."""
        return [
            user for user, page in self.pages.items() if self.desk.conversations[key_of(user, page)].holder
        ]

    @rule(
        agent=st.sampled_from(AGENTS),
        gateway=st.sampled_from(GATEWAYS),
        presence=st.sampled_from(("online", "online", "away", "offline")),
        away=st.sampled_from((None, None, None, True, False)),
    )
    def somebody_comes_or_goes(self, agent: str, gateway: str, presence: str, *, away: bool | None) -> None:
        told = {"agent": agent, "gateway": gateway, "presence": presence, "away": away}
        self.do(SetPresence.model_validate({**HERE, **told}))

    @rule(gateway=st.sampled_from(GATEWAYS))
    def a_gateway_lives(self, gateway: str) -> None:
        self.do(GatewayAlive(workspace=WORKSPACE, desk=DESK, gateway=gateway))

    @rule(
        user=st.sampled_from(USERS),
        by=st.sampled_from(("customer", "agent")),
        tags=st.sampled_from(((), ("vip",), ("gold",), ("gold", "vip"))),
    )
    def somebody_writes(self, user: str, by: str, tags: tuple[str, ...]) -> None:
        self.tell(Touched, user, by=by, tags=tags)

    @rule(user=st.sampled_from(USERS))
    def a_session_is_silent(self, user: str) -> None:
        self.tell(SessionSilent, user)

    @rule(user=st.sampled_from(USERS), sender=st.sampled_from((None, *OUTSIDE)))
    def a_human_answers_outside(self, user: str, sender: str | None) -> None:
        self.tell(OutsideAnswer, user, sender_id=sender)

    @rule(user=st.sampled_from(USERS), back=st.integers(0, 1))
    def session_ends(self, user: str, back: int) -> None:
        if user not in self.pages:
            return
        session = self.sessions[user] - back
        if not back:
            self.open.discard(user)
        known = self.desk.conversations[key_of(user, self.pages[user])]
        expected = known.session_open and known.session == session
        events = self.do(session_ended(user, session, page=self.pages[user]))
        assert any(isinstance(event, SessionClosed) for event in events) == expected

    @rule(
        which=nth,
        agent=st.sampled_from(AGENTS),
        department=st.sampled_from((None, None, "sale", "ky-thuat")),
        answer=st.sampled_from((None, None, TransferAccept, TransferReject)),
    )
    def a_holder_transfers(
        self, which: int, agent: str, department: str | None, answer: type[ConversationAsk] | None
    ) -> None:
        """To somebody who has just come online, who may answer at once."""
        held = sorted(self.held())
        if not held:
            return
        user = held[which % len(held)]
        page = self.pages[user]
        self.somebody_comes_or_goes(agent, "g1", "online", away=False)
        holder = self.desk.conversations[key_of(user, page)].holder
        target = {"to_department": department} if department else {"to_agent": agent}
        self.do(ask(Transfer, user, holder, page=page, **target))
        if answer is not None:
            self.do(ask(answer, user, agent, page=page))

    @rule(which=nth, model=st.sampled_from((TransferAccept, TransferReject, TransferCancel)))
    def a_transfer_is_answered(self, which: int, model: type[ConversationAsk]) -> None:
        asked = sorted(one.key for one in self.desk.conversations.values() if one.transfer is not None)
        if not asked:
            return
        one = self.desk.conversations[asked[which % len(asked)]]
        assert one.transfer is not None
        agents = one.transfer.agents or ("an",)
        by = one.holder if model is TransferCancel else agents[which % len(agents)]
        self.do(ask(model, one.key.removeprefix(f"{one.page}:"), by, page=one.page))

    @rule(
        which=nth,
        by=st.sampled_from(("holder", "holder", "chu", "em")),
        care=st.sampled_from(("pending_close", "closed_won", "done", "refused", "accepted")),
    )
    def somebody_changes_the_care(self, which: int, by: str, care: CareStatus) -> None:
        needs = {"refused": {"reason": "gia-cao"}, "done": {"outcome": "won"}}.get(care, {})
        self.ask(which, SetCare, by, care=care, **needs)

    @rule()
    def an_offer_runs_out(self) -> None:
        """A case of a timer that comes."""

    @rule(which=nth, early=st.sampled_from((False, False, True)))
    def a_timer_comes(self, which: int, *, early: bool) -> None:
        timers = sorted(self.timers())
        names = sorted({timer.name for timer in timers})
        if not timers:
            return
        timer = next(timer for timer in timers if timer.name == names[which % len(names)])
        left_s = (timer.due_at - self.log.now).total_seconds()
        if early and left_s > 0:
            assert self.fire(timer) == []
            assert timer in self.timers()
            return
        self.log.wait(seconds=max(0, left_s))
        self.fire(timer)
        assert timer not in self.timers(), f"{timer} would come for ever"
        assert self.fire(timer) == []

    def fire(self, timer: Timer) -> list[object]:
        fired = {"timer": timer.name, "subject": timer.subject, "due_at": timer.due_at}
        return self.do(TimerFired.model_validate({**HERE, **fired}))

    def timers(self) -> list[Timer]:
        of_conversations = (timers_of(one) for one in self.desk.conversations.values())
        return [*(timer for found in of_conversations for timer in found), *self.of_desk()]

    def of_desk(self) -> list[Timer]:
        return timers_of_desk(self.desk, self.log.now)

    def tell(self, model: type[ConversationCommand], user: str, **fields: object) -> None:
        if user not in self.pages:
            return
        key = key_of(user, self.pages[user])
        named = {"conversation": conversation_id(key), "key": key, "position": 3}
        command = {**HERE, "session": self.sessions[user], **named, **fields}
        self.do(model.model_validate(command))

    def check(self, one: Decided) -> None:
        event = one.event
        if isinstance(event, ChainEvent):
            self.check_care(event)
        super().check(one)

    def check_care(self, event: ChainEvent) -> None:
        """Against how things stood before it."""
        was = self.desk.conversations.get(event.key) or Conversation(
            event.conversation, event.key, event.page
        )
        if not (isinstance(event, Unassigned) and event.care == "waiting"):
            assert event.care == was.care or (was.care, event.care) in CARE
        next_round = event.care == "waiting" and was.care in ("refused", "done")
        assert event.round == was.round + next_round
        assert event.care != "refused" or event.holder == was.holder
        if isinstance(event, Transferring):
            assert event.holder == was.holder
            assert event.holder not in event.agents
            assert all(self.desk.presence_of(agent) == "online" for agent in event.agents) or event.rejected
        if isinstance(event, TransferEnded):
            assert was.transfer is not None
            assert event.holder == was.holder
        if isinstance(event, Assigned) and event.why.method == "transfer":
            assert was.transfer is not None
            assert event.care == was.care

    def nobody_can_be_found(self, conversation: Conversation, rule_: str) -> bool:
        for entry in ways(self.desk, self.desk.roster.rules[rule_]):
            definition = entry.definition
            if definition.method == "appoint" or any(self.asked_by(definition, conversation)):
                return False
        agent = definition.fallback.id
        if definition.fallback.kind != "agent" or agent is None:
            return True
        return not self.can_have(agent, conversation) or self.is_barred(agent, definition)

    def asked_by(self, definition: Rule, conversation: Conversation) -> Iterator[str]:
        for agent in super().asked_by(definition, conversation):
            by_offer = definition.method == "self_claim"
            there = is_at_work(self.desk, agent, definition)
            if there if by_offer else not self.is_barred(agent, definition):
                yield agent

    def is_barred(self, agent: str, definition: Rule) -> bool:
        """Whether presence or a limit of the rule's own bars him now."""
        duty = self.desk.duties.get(agent, ABSENT)
        return bar_in(definition, duty, self.desk.presence_of(agent), self.desk.at)[0] is not None

    @invariant()
    def nobody_waits_while_somebody_is_eligible(self) -> None:
        for one in self.desk.conversations.values():
            assert (one.standing == "idle") <= (
                not one.session_open or one.blocked or one.quiet_until is not None
            )
            assert (one.standing == "offered") == (one.audience is not None)
            assert one.transfer is None or one.holder is not None
            if one.standing == "queued" and one.rule is not None:
                assert one.session_open
                assert self.nobody_can_be_found(one, one.rule)


EveryCommand.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestEveryCommand = EveryCommand.TestCase
