"""A busy day of the real desk, played from a seed: every command, many races, all limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from unittest.mock import patch

import orjson

from schemas.asks import (
    Appoint,
    Block,
    Bulk,
    Claim,
    ConversationAsk,
    Follow,
    GatewayAlive,
    LinkOrder,
    Mute,
    Release,
    ReplyClaim,
    SetCapacity,
    SetCare,
    SetLeave,
    SetPresence,
    TakeOff,
    TakeOver,
    Transfer,
    TransferAccept,
    TransferCancel,
    TransferReject,
    Unblock,
    Unfollow,
    Unmute,
)
from schemas.commands import (
    Amend,
    Command,
    Configure,
    OutsideAnswer,
    SessionSilent,
    TimerFired,
    Touched,
    Vacate,
)
from schemas.definitions import Agent, Department, Policy, Rule, Window
from schemas.ids import conversation_id
from tests.checker.histories import History
from tests.checker.planted import Planted
from tests.desk.flows import REASONS
from tests.desk.log import DESK, WORKSPACE, a_rule, ask, configure, key_of, route, session_ended
from tests.desk.scene import Scene
from workers.routing.desk import leaving
from workers.routing.desk.access import is_asked
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.roster import Entry
from workers.routing.desk.timers import timers_of, timers_of_desk

AGENTS = ("an", "binh", "chi", "dung", "em", "giang", "chu")
TURNS, LIMITED, RACE, BUSY, NO_RULE = PAGES = ("zalo:1", "messenger:2", "zalo:3", "messenger:4", "zalo:5")
USERS = tuple(f"u{number}" for number in range(40))
COMMANDS = 700
TAGS = ((), (), ("vip",), ("gold",))
EARLY = {"stretches": [{"days": ["mon"], "begins": "03:00", "ends": "03:01"}]}
SAIGON = timedelta(hours=7)
CHANNEL_CAPACITY = {"messenger": 2}
ORDERS = (("DH1", "new"), ("DH2", "confirmed"), ("DH1", "done"), ("DH2", None), ("DH3", "new"))
_ABOUT: tuple[tuple[type[ConversationAsk], dict[str, Any]], ...] = (
    *((model, {}) for model in (Release, TakeOff, TakeOver, Follow, Unfollow, Mute, Unmute, Block, Unblock)),
    (Appoint, {"agent": "an"}),
    (Appoint, {"agent": "em"}),
    *((SetCare, {"care": care}) for care in ("pending_close", "closed_won", "closed_won", "new")),
    (SetCare, {"care": "refused", "reason": "gia-cao"}),
    *((SetCare, {"care": "done", "outcome": outcome}) for outcome in ("won", "won", "dead_end")),
    *((Transfer, {"to_agent": agent}) for agent in ("binh", "chi", "dung")),
    (Transfer, {"to_department": "sale"}),
)


class BusyDesk:
    """One day."""

    def __init__(self, seed: int) -> None:
        self.history = History()
        self._random = Random(seed)
        self._scene = Scene()
        self._sessions: Counter[str] = Counter()
        self._keys = 0
        self._last: Command | None = None

    def play(self) -> Planted:
        """The history of the day, on which three conversations of a leaver are all that fits one decision."""
        with patch.object(leaving, "PART", 3):
            return self._play()

    def _play(self) -> Planted:
        self._configure()
        happenings = (
            *(self._customer,) * 8,
            *(self._session_ends,) * 3,
            *(self._race,) * 4,
            *(self._somebody_asks,) * 12,
            *(self._transfer_is_answered,) * 3,
            *(self._presence,) * 3,
            *(self._session,) * 3,
            self._outside,
            self._let_in,
            *(self._timer,) * 4,
            self._agent_changes,
            self._many,
            self._again,
        )
        for number in range(COMMANDS):
            self._scene.log.wait(milliseconds=self._random.choice((0, 0, 5, 900)))
            self._random.choice(happenings)()
            if number % 200 == 199:
                self._configure()
        self._transfer_to_who_leaves()
        self._agent_stays_away()
        self._orders()
        self._a_rule_opens()
        self._somebody_is_replaced()
        self._one_of_a_department_comes()
        self._a_page_is_taken_from_its_admin()
        return self.history.told(self._scene.desk)

    def do(self, command: Command) -> None:
        """Decide on it, and write it all down."""
        before = len(self._scene.decided)
        self._scene.do(command)
        log = self._scene.log
        decided = self._scene.decided[before:]
        self.history.note(command, log.offset, log.now, decided)
        self._last = command
        for one in decided:
            if isinstance(one.event, Vacate):
                self.do(one.event)

    def _configure(self) -> None:
        agents = [
            Agent(
                id=name, name=name, capacity=capacity, channel_capacity=CHANNEL_CAPACITY if messenger else {}
            )
            for name, capacity, messenger in zip(
                AGENTS, (4, 3, None, 2, None, 5, None), (0, 0, 1, 0, 1, 0, 0), strict=True
            )
        ]
        teams = [("sale", self._some(4)), ("ky-thuat", self._some(3))]
        departments = [Department(id=name, name=name, agents=tuple(team)) for name, team in teams]
        self._keys += 1
        command = configure(
            agents, self._rules(), departments=departments, pages=PAGES, idempotency_key=f"day{self._keys}"
        )
        self.do(command.model_copy(update={"policy": self._policy()}))

    def _rules(self) -> list[Rule]:
        window = Window(conversations=3, seconds=20)
        return [
            a_rule(*self._some(3), id_="vips", pages=[TURNS, BUSY], conditions={"tags": ["vip"]}),
            a_rule(*self._some(2), id_="early", pages=[], channels=["zalo"], conditions={"hours": EARLY}),
            a_rule(*self._some(5), id_="turns", pages=[TURNS], last_agent_s=self._random.choice((None, 60))),
            a_rule(
                *self._some(5),
                id_="limited",
                pages=[LIMITED],
                online_only=True,
                gap_s=self._random.choice((None, 2)),
                window=window,
                offline_grace_s=3,
                urgent_after_s=5,
                vip_tags=["gold"],
            ),
            a_rule(
                *self._some(4),
                id_="race",
                pages=[RACE],
                method="self_claim",
                reply_claims=True,
                offer_timeout_s=5,
                next_rings=[{"agents": self._some(2)}, {"departments": ["sale"]}],
                after_refusal=self._random.choice(("pool", "next")),
            ),
            a_rule(
                departments=["ky-thuat"],
                id_="busy",
                pages=[BUSY],
                method="least_busy",
                fallback={"kind": "rule", "id": "turns"},
            ),
        ]

    def _policy(self) -> Policy:
        return Policy(
            reasons=REASONS,
            silent_after_s=30,
            transfer_timeout_s=10,
            outside_quiet_s=8,
            outside_agents={"7001": "an"},
            done_from=self._random.choice(((), ("accepted",), ("accepted", "pending_close"))),
            former_holders_follow=self._random.choice((True, False)),
        )

    def _some(self, count: int) -> list[str]:
        return self._random.sample(AGENTS[:-1], count)

    def _customer(self) -> None:
        user = self._random.choice(USERS)
        page = PAGES[USERS.index(user) % len(PAGES)]
        known = self._scene.desk.conversations.get(key_of(user, page))
        opens = known is None or not known.session_open
        self._sessions[user] += opens
        asked = route(user, self._sessions[user], page=page, opens_session=opens)
        self.do(asked.model_copy(update={"tags": self._random.choice(TAGS)}))

    def _orders(self) -> None:
        """At the day's end another system tells of everybody's orders, and a case is done and comes back."""
        for one in list(self._scene.desk.conversations.values()):
            for order, status in ORDERS:
                named = {"page": one.page, "authority": "admin"}
                self.do(ask(LinkOrder, _user(one), None, **named, order=order, status=status))
        for one in [each for each in self._scene.desk.conversations.values() if each.care == "accepted"]:
            for fields in ({"care": "closed_won"}, {"care": "done", "outcome": "won"}):
                self.do(ask(SetCare, _user(one), one.holder, page=one.page, **fields))
            now = self._scene.desk.conversations[one.key]
            if now.session_open:
                self.do(session_ended(_user(now), now.session, page=now.page))
            self.do(route(_user(now), now.session + 1, page=now.page))

    def _a_rule_opens(self) -> None:
        """On Monday morning; what comes first then is nothing that concerns it."""
        while (now := self._scene.log.now + SAIGON).strftime("%a %H") != "Mon 03":
            self._scene.log.wait(seconds=3600 - now.minute * 60 - now.second)
        self.do(GatewayAlive(workspace=WORKSPACE, desk=DESK, gateway="g1"))
        one = self._one(lambda one: one.holder is not None)
        if one is not None:
            self.do(ask(Follow, _user(one), "chu", page=one.page))

    def _session_ends(self) -> None:
        one = self._one(lambda one: one.session_open)
        if one is not None:
            self.do(session_ended(_user(one), one.session, page=one.page))

    def _race(self) -> None:
        """Several who are asked, and one who is not, claim at the same time."""
        one = self._one(lambda one: one.standing == "offered")
        if one is None:
            return
        asked = [agent for agent in AGENTS if is_asked(self._scene.desk, agent, one.audience or "")]
        claimers = [*self._random.sample(asked, min(3, len(asked))), self._random.choice(AGENTS)]
        for agent in claimers:
            model = self._random.choice((Claim, Claim, ReplyClaim))
            self.do(ask(model, _user(one), agent, page=one.page))

    def _somebody_asks(self) -> None:
        one = self._one(lambda one: one.holder is not None)
        if one is not None:
            model, fields = self._random.choice(_ABOUT)
            by = self._random.choice((one.holder, one.holder, one.holder, "chu", "giang"))
            self.do(ask(model, _user(one), by, page=one.page, **fields))

    def _transfer_is_answered(self) -> None:
        one = self._one(lambda one: one.transfer is not None)
        if one is None or one.transfer is None:
            return
        for agent in self._random.sample(one.transfer.agents, min(2, len(one.transfer.agents))):
            model = self._random.choice((TransferAccept, TransferAccept, TransferReject, TransferCancel))
            by = one.holder if model is TransferCancel else agent
            self.do(ask(model, _user(one), by, page=one.page))

    def _transfer_to_who_leaves(self) -> None:
        """Whoever shall take it over goes on leave before he has answered."""
        one = self._one(
            lambda one: one.holder and not one.transfer and not one.blocked and one.care != "done"
        )
        if one is None:
            return
        agent = next(agent for agent in AGENTS if agent != one.holder)
        told = {"workspace": WORKSPACE, "desk": DESK, "agent": agent}
        self._keys += 1
        for command in (
            SetLeave.model_validate({**self._by_operator(), "agent": agent, "on_leave": False}),
            SetPresence.model_validate({**told, "gateway": "g1", "presence": "online"}),
            ask(Transfer, _user(one), one.holder, page=one.page, to_agent=agent),
        ):
            self.do(command)
        self._keys += 1
        self.do(SetLeave.model_validate({**self._by_operator(), "agent": agent, "on_leave": True}))

    def _agent_stays_away(self) -> None:
        """A customer writes while his agent is offline, and the rule's time is over."""
        one = self._one(
            lambda one: one.page == LIMITED and one.session_open and one.holder and one.care != "done"
        )
        if one is None:
            return
        for gateway in ("g1", "g2"):
            told = {"agent": one.holder, "gateway": gateway, "presence": "offline"}
            self.do(SetPresence.model_validate({"workspace": WORKSPACE, "desk": DESK, **told}))
        self._tell(one, Touched, {"by": "customer", "tags": one.facts.tags if one.facts else ()})
        while (due_at := self._scene.desk.conversations[one.key].absent_until) is not None:
            self._scene.log.wait(seconds=max(0.0, (due_at - self._scene.log.now).total_seconds()))
            fired = {"timer": "offline", "subject": one.key, "due_at": due_at}
            self.do(TimerFired.model_validate({"workspace": WORKSPACE, "desk": DESK, **fired}))

    def _presence(self) -> None:
        told = {
            "agent": self._random.choice(AGENTS),
            "gateway": self._random.choice(("g1", "g2")),
            "presence": self._random.choice(("online", "online", "online", "away", "offline")),
        }
        self.do(SetPresence.model_validate({"workspace": WORKSPACE, "desk": DESK, **told}))

    def _session(self) -> None:
        """What intake tells of one."""
        by, tags = self._random.choice(("customer", "agent")), self._random.choice(TAGS)
        model, fields = self._random.choice(((SessionSilent, {}), (Touched, {"by": by, "tags": tags})))
        self._tell(self._one(lambda one: one.session_open), model, fields)

    def _outside(self) -> None:
        """A human answers in the page's own inbox."""
        one = self._one(lambda one: one.session_open and one.holder is None and not one.blocked)
        self._tell(one, OutsideAnswer, {"sender_id": self._random.choice((None, None, "7001"))})

    def _let_in(self) -> None:
        """A blocked customer is let in again; who has muted one is told again."""
        blocked, muted = self._one(lambda one: one.blocked), self._one(lambda one: one.muted)
        if blocked is not None:
            self.do(ask(Unblock, _user(blocked), "chu", page=blocked.page))
        if muted is not None:
            self.do(ask(Unmute, _user(muted), min(muted.muted), page=muted.page))

    def _tell(self, one: Conversation | None, model: type[Command], fields: dict[str, Any]) -> None:
        if one is None:
            return
        named = {"conversation": one.id, "key": one.key, "session": one.session, "position": 5}
        self.do(model.model_validate({"workspace": WORKSPACE, "desk": DESK, **named, **fields}))

    def _timer(self) -> None:
        """The next one comes, if it is not far."""
        desk, log = self._scene.desk, self._scene.log
        timers = [timer for one in desk.conversations.values() for timer in timers_of(one)]
        soon = [timer for timer in (*timers, *timers_of_desk(desk, log.now)) if timer.due_at < _soon(log.now)]
        if not soon:
            return
        timer = min(soon, key=lambda timer: (timer.due_at, timer.subject))
        log.wait(seconds=max(0.0, (timer.due_at - log.now).total_seconds()))
        fired = {"timer": timer.name, "subject": timer.subject, "due_at": timer.due_at}
        self.do(TimerFired.model_validate({"workspace": WORKSPACE, "desk": DESK, **fired}))

    def _agent_changes(self) -> None:
        self._keys += 1
        model, fields = self._random.choice(
            (
                (SetLeave, {"on_leave": True, "then": self._random.choice(("keep", "pool", "next"))}),
                (SetLeave, {"on_leave": False}),
                (SetLeave, {"on_leave": False}),
                (SetCapacity, {"capacity": self._random.choice((1, 3, None))}),
            )
        )
        self.do(model.model_validate({**self._by_operator(), "agent": self._random.choice(AGENTS), **fields}))

    def _many(self) -> None:
        """Some of the conversations at once."""
        known = sorted(self._scene.desk.conversations)
        keys = self._random.sample(known, min(4, len(known)))
        what = self._random.choice(
            (
                {"what": "appoint", "agent": "chi"},
                {"what": "set_care", "care": "refused", "reason": "gia-cao"},
                {"what": "take_off"},
                {"what": "follow"},
            )
        )
        subjects = [{"conversation": conversation_id(key), "key": key} for key in keys]
        self._keys += 1
        if subjects:
            self.do(Bulk.model_validate({**self._by_operator(), "by": "chu", "subjects": subjects, **what}))

    def _again(self) -> None:
        """The last ask comes once more, or its key with another body."""
        if isinstance(self._last, (ConversationAsk, Configure, Amend)):
            other = {"authority": "admin" if self._last.authority == "agent" else "agent"}
            self.do(self._last.model_copy(update=other if self._random.random() < 1 / 2 else {}))

    def _somebody_is_replaced(self) -> None:
        """In all that names him; then the same comes again as if nothing had changed."""
        roster = self._scene.desk.roster
        version = roster.version

        def others(entries: Iterable[Entry[Any]]) -> list[Any]:
            told = (entry.definition.model_dump_json() for entry in entries if entry.active)
            return [orjson.loads(one.replace('"giang"', '"chi"')) for one in told]

        changed = {"rules": others(roster.rules.values()), "departments": others(roster.departments.values())}
        for _ in range(2):
            self._keys += 1
            named = {"version": version, "removed": {"agents": ["giang"]}, **changed}
            self.do(Amend.model_validate({**self._by_operator(), **named}))
            self._again()

    def _a_page_is_taken_from_its_admin(self) -> None:
        """What she followed as its admin she follows no more: more than fits one decision."""
        followed = [key for key, one in self._scene.desk.conversations.items() if one.page == TURNS]
        subjects = [{"conversation": conversation_id(key), "key": key} for key in followed]
        self._keys += 1
        by_admin = {**self._by_operator(), "by": "chu", "authority": "agent"}
        self.do(Bulk.model_validate({**by_admin, "what": "follow", "subjects": subjects}))
        page = {"id": TURNS, "name": TURNS, "admins": ["dung"]}
        self._keys += 1
        named = {"version": self._scene.desk.roster.version, "pages": [page]}
        self.do(Amend.model_validate({**self._by_operator(), **named}))

    def _one_of_a_department_comes(self) -> None:
        """While it is asked to take a conversation over: he is asked too; then others are of it."""
        one = self._one(lambda one: one.holder and not one.blocked and one.care != "done")
        members = self._scene.desk.roster.departments["sale"].definition.agents
        if one is None:
            return
        here, comes, *_ = (agent for agent in members if agent != one.holder)
        if one.transfer is not None:
            self.do(ask(TransferCancel, _user(one), "chu", page=one.page))
        for agent in (here, comes):
            self._keys += 1
            self.do(SetLeave.model_validate({**self._by_operator(), "agent": agent, "on_leave": False}))
        for agent, gateway, what in (
            (comes, "g1", "offline"),
            (comes, "g2", "offline"),
            (here, "g1", "online"),
        ):
            told = {"agent": agent, "gateway": gateway, "presence": what}
            self.do(SetPresence.model_validate({"workspace": WORKSPACE, "desk": DESK, **told}))
        self.do(ask(Transfer, _user(one), one.holder, page=one.page, to_department="sale"))
        told = {"agent": comes, "gateway": "g1", "presence": "online"}
        self.do(SetPresence.model_validate({"workspace": WORKSPACE, "desk": DESK, **told}))
        for on_leave in (True, False):
            self._keys += 1
            leave = {"agent": here, "on_leave": on_leave, "then": "keep"}
            self.do(SetLeave.model_validate({**self._by_operator(), **leave}))
        self._configure()

    def _by_operator(self) -> dict[str, str]:
        key = f"op{self._keys}"
        return {
            "workspace": WORKSPACE,
            "desk": DESK,
            "actor": "cli:me",
            "idempotency_key": key,
            "authority": "admin",
        }

    def _one(self, fits: Any) -> Conversation | None:  # noqa: ANN401 - a predicate
        found = [one for _, one in sorted(self._scene.desk.conversations.items()) if fits(one)]
        return self._random.choice(found) if found else None


@cache
def _a_day(seed: int) -> Planted:
    return BusyDesk(seed).play()


def a_day(seed: int) -> Planted:
    """The history of a day, to be changed at will."""
    return _a_day(seed).copy()


def _user(one: Conversation) -> str:
    return one.key.removeprefix(f"{one.page}:")


def _soon(now: datetime) -> datetime:
    return now + timedelta(seconds=10)
