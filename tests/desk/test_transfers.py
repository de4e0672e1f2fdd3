"""Transfers: who may offer to whom, who has it meanwhile, and every way in which one ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from schemas.asks import (
    Appoint,
    Release,
    SetCare,
    SetLeave,
    TakeOver,
    Transfer,
    TransferAccept,
    TransferCancel,
    TransferReject,
)
from schemas.assignments import Assigned, TransferEnded, Transferring
from schemas.commands import Command, Configure
from schemas.definitions import Agent, Department
from schemas.outcomes import Done, Refused
from tests.desk.flows import come, give_policy, names, run_out
from tests.desk.log import DESK, WORKSPACE, a_rule, an_agent, ask, configure, key_of, route, session_ended
from tests.desk.people import presence
from tests.desk.scene import Scene, restarted, snapshot
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.targets import end_transfers_to
from workers.routing.desk.timers import timers_of

SALE = Department(id="sale", name="Bán hàng", agents=("an", "binh", "chi", "dung"))


@pytest.fixture
def scene() -> Scene:
    """An has Lan; Binh and Chi are online, Dung is away, Chu is the page's admin and offline."""
    scene = Scene()
    agents = [an_agent("an"), an_agent("binh", 1), an_agent("chi"), an_agent("dung"), an_agent("chu")]
    scene.do(configure(agents, [a_rule("an")], departments=[SALE]))
    give_policy(scene)
    come(scene, "an", "binh", "chi")
    come(scene, "dung", presence="away")
    scene.do(route("lan"))
    return scene


def lan(scene: Scene) -> Conversation:
    """The conversation."""
    return scene.conversation("lan")


def refused(scene: Scene, command: Command) -> Refused:
    """The refusal of `command`, which changes nothing."""
    (outcome,) = scene.do(command)
    assert isinstance(outcome, Refused)
    return outcome


def to_binh() -> Transfer:
    """An offers it to Binh."""
    return ask(Transfer, "lan", "an", to_agent="binh")


def to_sale() -> Transfer:
    """An offers it to all of sale."""
    return ask(Transfer, "lan", "an", to_department="sale")


def leave(agent: str, then: str = "keep") -> SetLeave:
    """An operator sends somebody on leave."""
    fields = {"actor": "cli:me", "authority": "admin", "idempotency_key": f"leave-{agent}", "on_leave": True}
    named = {"workspace": WORKSPACE, "desk": DESK, "agent": agent, "then": then}
    return SetLeave.model_validate(named | fields)


def ended_by(scene: Scene, command: Command) -> list[TransferEnded]:
    """The transfers that `command` ends."""
    return [event for event in scene.do(command) if isinstance(event, TransferEnded)]


class TestOffering:
    def test_its_holder_keeps_it_until_it_is_answered(self, scene: Scene) -> None:
        command = to_binh()
        told, done = scene.do(command)
        assert isinstance(told, Transferring)
        assert (told.to_agent, told.agents, told.holder, told.standing) == ("binh", ("binh",), "an", "held")
        assert (told.by, told.command) == ("agent:acme/an", command.idempotency_key)
        assert (told.expires_at - told.at).total_seconds() == 120
        assert isinstance(done, Done)
        assert lan(scene).holder == "an"

    def test_to_a_department_asks_all_who_are_online_but_its_holder(self, scene: Scene) -> None:
        told, _ = scene.do(to_sale())
        assert (told.to_department, told.agents) == ("sale", ("binh", "chi"))

    def test_the_policy_says_how_long_one_may_think(self, scene: Scene) -> None:
        give_policy(scene, transfer_timeout_s=7)
        told, _ = scene.do(to_binh())
        assert (told.expires_at - told.at).total_seconds() == 7

    @pytest.mark.parametrize(
        ("by", "target", "code"),
        [
            ("binh", {"to_agent": "chi"}, "not_holder"),
            ("chu", {"to_agent": "chi"}, "not_holder"),
            (None, {"to_agent": "chi"}, "not_holder"),
            ("an", {}, "target_required"),
            ("an", {"to_agent": "binh", "to_department": "sale"}, "target_required"),
            ("an", {"to_agent": "an"}, "bad_transition"),
            ("an", {"to_agent": "la"}, "unknown_agent"),
            ("an", {"to_department": "la"}, "unknown_department"),
            ("an", {"to_agent": "dung"}, "target_offline"),
            ("an", {"to_agent": "chu"}, "target_offline"),
        ],
    )
    def test_is_refused(self, scene: Scene, by: str | None, target: dict[str, str], code: str) -> None:
        assert refused(scene, ask(Transfer, "lan", by, **target)).code == code

    def test_names_who_is_online_instead(self, scene: Scene) -> None:
        assert refused(scene, ask(Transfer, "lan", "an", to_agent="dung")).allowed == ("binh", "chi")

    def test_to_a_department_of_which_nobody_else_is_online_is_refused(self, scene: Scene) -> None:
        come(scene, "binh", "chi", presence="offline")
        assert refused(scene, to_sale()).code == "target_offline"

    def test_is_one_at_a_time(self, scene: Scene) -> None:
        scene.do(to_binh())
        again = refused(scene, ask(Transfer, "lan", "an", to_agent="chi"))
        assert (again.code, again.allowed) == ("bad_transition", ("transfer_cancel",))


class TestAccepting:
    def test_moves_it_with_its_care_status(self, scene: Scene) -> None:
        scene.do(ask(SetCare, "lan", "an", care="pending_close"))
        scene.do(to_binh())
        assigned, done = scene.do(ask(TransferAccept, "lan", "binh"))
        assert isinstance(assigned, Assigned)
        assert (assigned.holder, assigned.former_holder, assigned.care) == ("binh", "an", "pending_close")
        assert (assigned.why.method, assigned.why.by, assigned.epoch) == ("transfer", "agent:acme/binh", 2)
        assert isinstance(done, Done)
        assert lan(scene).transfer is None

    def test_may_exceed_capacity_and_says_so(self, scene: Scene) -> None:
        scene.do(route("minh"))
        scene.do(ask(Appoint, "minh", "chu", agent="binh"))
        scene.do(to_binh())
        assigned, _ = scene.do(ask(TransferAccept, "lan", "binh"))
        assert assigned.why.exceeds == ("capacity",)

    def test_serves_who_waited_for_its_former_holder(self) -> None:
        scene = Scene()
        scene.do(configure([an_agent("an", 1), "binh", "chu"], [a_rule("an")]))
        come(scene, "an", "binh")
        scene.do(route("lan"))
        scene.do(route("minh"))
        scene.do(to_binh())
        scene.do(ask(TransferAccept, "lan", "binh"))
        assert scene.conversation("minh").holder == "an"

    def test_the_first_of_a_department_has_it_and_the_next_learns_who(self, scene: Scene) -> None:
        scene.do(to_sale())
        scene.do(ask(TransferAccept, "lan", "chi"))
        late = refused(scene, ask(TransferAccept, "lan", "binh"))
        assert late.code == "taken"
        assert late.details == {"winner": "chi", "earlier_ms": 1}

    def test_twice_is_done_twice(self, scene: Scene) -> None:
        scene.do(to_binh())
        scene.do(ask(TransferAccept, "lan", "binh"))
        (done,) = scene.do(ask(TransferAccept, "lan", "binh"))
        assert isinstance(done, Done)

    def test_who_of_the_department_came_online_later_may_take_it_too(self, scene: Scene) -> None:
        scene.do(to_sale())
        come(scene, "dung")
        scene.do(ask(TransferAccept, "lan", "dung"))
        assert lan(scene).holder == "dung"

    def test_the_former_holder_goes_on_following(self, scene: Scene) -> None:
        scene.do(to_binh())
        scene.do(ask(TransferAccept, "lan", "binh"))
        assert lan(scene).followers == {"an", "binh"}


class TestRejecting:
    def test_leaves_it_with_its_holder(self, scene: Scene) -> None:
        scene.do(to_binh())
        ended, done = scene.do(ask(TransferReject, "lan", "binh"))
        assert isinstance(ended, TransferEnded)
        assert (ended.how, ended.agent, ended.holder, ended.epoch) == ("rejected", "binh", "an", 1)
        assert isinstance(done, Done)
        assert lan(scene).transfer is None

    def test_in_a_department_leaves_it_to_the_others(self, scene: Scene) -> None:
        first, _ = scene.do(to_sale())
        told, _ = scene.do(ask(TransferReject, "lan", "binh"))
        assert isinstance(told, Transferring)
        assert (told.agents, told.rejected) == (("chi",), ("binh",))
        assert (told.command, told.expires_at) == (first.command, first.expires_at)
        assert refused(scene, ask(TransferAccept, "lan", "binh")).code == "not_listed"
        assert refused(scene, ask(TransferReject, "lan", "binh")).code == "not_listed"
        scene.do(ask(TransferAccept, "lan", "chi"))
        assert lan(scene).holder == "chi"

    def test_by_all_who_were_asked_asks_the_others_who_may_take_it(self, scene: Scene) -> None:
        scene.do(to_sale())
        come(scene, "dung")
        scene.do(ask(TransferReject, "lan", "binh"))
        told, _ = scene.do(ask(TransferReject, "lan", "chi"))
        assert isinstance(told, Transferring)
        assert (told.agents, told.rejected) == (("dung",), ("binh", "chi"))

    def test_by_the_last_of_a_department_ends_it(self, scene: Scene) -> None:
        scene.do(to_sale())
        for agent in ("binh", "chi"):
            scene.do(ask(TransferReject, "lan", agent))
        last, _ = scene.do(ask(TransferReject, "lan", "dung"))
        assert (last.how, last.agent) == ("rejected", "dung")

    @pytest.mark.parametrize("to", [to_binh, to_sale])
    def test_is_declining_so_when_it_is_given_back_he_does_not_get_it(
        self, scene: Scene, to: Callable[[], Transfer]
    ) -> None:
        scene.do(
            configure(
                ("an", "binh", "chi", "dung", "chu"),
                [a_rule("an", "binh")],
                departments=[SALE],
                idempotency_key="wider",
            )
        )
        scene.do(to())
        scene.do(ask(TransferReject, "lan", "binh"))
        scene.do(ask(Release, "lan", "an"))
        assert lan(scene).declined == {"an", "binh"}
        assert lan(scene).audience == "page:zalo:100"


class TestComing:
    """Whoever of the department comes online may take it, and so is asked, and told, as the others were."""

    def test_while_it_waits_asks_who_has_come_too(self, scene: Scene) -> None:
        first, _ = scene.do(to_sale())
        _, moved, told = scene.do(presence("dung"))
        assert (moved.agent, moved.presence) == ("dung", "online")
        assert isinstance(told, Transferring)
        assert (told.agents, told.rejected) == (("binh", "chi", "dung"), ())
        assert (told.by, told.command, told.expires_at) == (first.by, first.command, first.expires_at)
        scene.do(presence("dung", "away"))
        assert names(scene.do(presence("dung")))[1:] == ["PresenceChanged"]

    @pytest.mark.parametrize("agent", ["binh", "chu", "an"])
    def test_asks_nobody_who_cannot_take_it(self, scene: Scene, agent: str) -> None:
        """He has rejected it, is of no department, or has it himself."""
        scene.do(to_sale())
        scene.do(ask(TransferReject, "lan", "binh"))
        come(scene, agent, presence="away")
        assert Transferring.__name__ not in names(scene.do(presence(agent)))

    def test_after_its_time_asks_nobody(self, scene: Scene) -> None:
        scene.do(to_sale())
        scene.log.wait(seconds=120)
        assert names(scene.do(presence("dung")))[1:] == ["PresenceChanged"]

    def test_is_nothing_to_a_transfer_to_another(self, scene: Scene) -> None:
        scene.do(to_binh())
        assert names(scene.do(presence("dung")))[1:] == ["PresenceChanged"]


class TestTheDepartment:
    """Who joins it, leaves it, or goes on leave and comes back, while it is asked."""

    def roster(self, *sale: str) -> Configure:
        return configure(
            ("an", "binh", "chi", "dung", "chu"),
            [a_rule("an")],
            departments=[SALE.model_copy(update={"agents": sale})],
            idempotency_key=f"later {sale}",
        )

    def asked(self, events: list[Any]) -> list[tuple[str, ...]]:
        return [one.agents for one in events if isinstance(one, Transferring) and one.again == "asked"]

    def test_without_one_who_was_asked_asks_him_no_more(self, scene: Scene) -> None:
        scene.do(to_sale())
        assert self.asked(scene.do(self.roster("an", "chi", "dung"))) == [("chi",)]
        assert refused(scene, ask(TransferAccept, "lan", "binh")).code == "not_listed"

    def test_with_one_who_is_online_asks_him_too_and_with_one_who_is_not_nobody(self, scene: Scene) -> None:
        come(scene, "chu")
        scene.do(to_sale())
        assert self.asked(scene.do(self.roster("chu", *SALE.agents))) == [("binh", "chi", "chu")]
        assert self.asked(scene.do(self.roster("chu", "binh", "chi"))) == []

    def test_of_which_nobody_who_was_asked_is_left_asks_who_is_away(self, scene: Scene) -> None:
        scene.do(to_sale())
        assert self.asked(scene.do(self.roster("an", "dung"))) == [("dung",)]

    def test_of_which_one_goes_on_leave_asks_him_when_he_is_back(self, scene: Scene) -> None:
        scene.do(to_sale())
        assert self.asked(scene.do(leave("binh"))) == [("chi",)]
        back = leave("binh").model_copy(update={"on_leave": False, "idempotency_key": "back"})
        assert self.asked(scene.do(back)) == [("chi", "binh")]
        assert snapshot(restarted(scene.desk)).people[2] == snapshot(scene.desk).people[2]

    def test_of_another_or_after_its_time_is_asked_as_before(self, scene: Scene) -> None:
        scene.do(to_binh())
        assert self.asked(scene.do(self.roster("an", "chi", "dung"))) == []
        scene.do(ask(TransferCancel, "lan", "an"))
        scene.do(ask(Transfer, "lan", "an", to_department="sale"))
        scene.log.wait(seconds=120)
        assert self.asked(scene.do(self.roster("an", "dung"))) == []


class TestEnding:
    @pytest.mark.parametrize("by", ["an", "chu"])
    def test_its_holder_or_a_page_admin_takes_it_back(self, scene: Scene, by: str) -> None:
        scene.do(to_binh())
        ended, _ = scene.do(ask(TransferCancel, "lan", by))
        assert (ended.how, ended.by) == ("cancelled", f"agent:acme/{by}")
        assert refused(scene, ask(TransferAccept, "lan", "binh")).code == "expired"

    def test_it_expires(self, scene: Scene) -> None:
        scene.do(to_binh())
        (ended,) = run_out(scene, "transfer")
        assert (ended.how, ended.holder) == ("expired", "an")
        assert timers_of(lan(scene)) == []

    def test_who_answers_after_its_time_is_too_late_also_when_the_timer_is_late(self, scene: Scene) -> None:
        scene.do(to_binh())
        scene.log.wait(seconds=120)
        for model in (TransferAccept, TransferReject):
            assert refused(scene, ask(model, "lan", "binh")).code == "expired"
        assert lan(scene).holder == "an"

    def test_an_agent_who_goes_offline_ends_what_was_offered_to_him(self, scene: Scene) -> None:
        scene.do(to_binh())
        come(scene, "binh", presence="offline")
        (ended,) = scene.think(lambda draft: end_transfers_to(draft, "binh", "target_offline"))
        assert (ended.how, ended.agent, ended.holder) == ("target_offline", "binh", "an")

    def test_the_last_of_a_department_who_goes_offline_ends_it(self, scene: Scene) -> None:
        scene.do(to_sale())
        come(scene, "binh", "dung", presence="offline")
        assert scene.think(lambda draft: end_transfers_to(draft, "binh", "target_offline")) == []
        come(scene, "chi", presence="offline")
        (ended,) = scene.think(lambda draft: end_transfers_to(draft, "chi", "target_offline"))
        assert ended.how == "target_offline"

    @pytest.mark.parametrize("then", ["keep", "pool", "next"])
    def test_an_agent_who_goes_on_leave_ends_what_was_offered_to_him(self, scene: Scene, then: str) -> None:
        scene.do(to_binh())
        events = scene.do(leave("binh", then))
        (ended,) = [event for event in events if isinstance(event, TransferEnded)]
        assert (ended.how, ended.agent, ended.holder) == ("target_left", "binh", "an")
        assert lan(scene).transfer is None
        assert timers_of(lan(scene)) == []

    def test_the_others_of_his_department_may_still_take_it(self, scene: Scene) -> None:
        scene.do(to_sale())
        assert ended_by(scene, leave("binh")) == []
        assert ended_by(scene, leave("chi")) == []
        (ended,) = ended_by(scene, leave("dung"))
        assert (ended.how, ended.agent, ended.holder) == ("target_left", "dung", "an")

    @pytest.mark.parametrize(
        "agents",
        [
            ("an", "chi", "dung", "chu"),
            ("an", "chi", "dung", "chu", Agent(id="binh", name="Bình", on_leave=True)),
        ],
    )
    def test_a_roster_without_him_ends_what_was_offered_to_him(
        self, scene: Scene, agents: tuple[Agent | str, ...]
    ) -> None:
        scene.do(to_binh())
        (ended,) = ended_by(scene, configure(agents, [a_rule("an")], idempotency_key="later"))
        assert (ended.how, ended.agent, ended.holder) == ("target_left", "binh", "an")

    @pytest.mark.parametrize(
        ("sale", "ends"), [(("chi",), False), (("dung",), False), (("an",), True), ((), True), (None, True)]
    )
    def test_a_department_in_which_nobody_is_left_ends_what_was_offered_to_it(
        self, scene: Scene, sale: tuple[str, ...] | None, *, ends: bool
    ) -> None:
        scene.do(to_sale())
        departments = [] if sale is None else [SALE.model_copy(update={"agents": sale})]
        command = configure(
            ("an", "binh", "chi", "dung", "chu"),
            [a_rule("an")],
            departments=departments,
            idempotency_key="later",
        )
        told = [(one.how, one.agent, one.holder) for one in ended_by(scene, command)]
        assert told == ([("target_left", None, "an")] if ends else [])

    def test_who_loses_it_by_his_own_leave_has_nothing_left_to_be_answered(self, scene: Scene) -> None:
        scene.do(to_binh())
        (ended,) = ended_by(scene, leave("an", "next"))
        assert ended.how == "overtaken"

    @pytest.mark.parametrize(
        ("command", "after"),
        [
            (ask(TakeOver, "lan", "chu"), ["TransferEnded", "Assigned"]),
            (ask(Release, "lan", "an"), ["TransferEnded", "Unassigned", "Offered"]),
            (
                ask(SetCare, "lan", "an", care="refused", reason="gia-cao"),
                ["TransferEnded", "CareChanged", "Unassigned", "Offered"],
            ),
            (
                ask(SetCare, "lan", "chu", care="done", outcome="dead_end"),
                ["TransferEnded", "CareChanged"],
            ),
            (session_ended("lan"), ["TransferEnded", "SessionClosed"]),
        ],
    )
    def test_it_is_overtaken(self, scene: Scene, command: Command, after: list[str]) -> None:
        give_policy(scene, done_from=("accepted",))
        scene.do(to_binh())
        events = scene.do(command)
        assert names(events) == after
        (ended,) = (event for event in events if isinstance(event, TransferEnded))
        assert ended.how == "overtaken"
        assert lan(scene).transfer is None


class TestTable:
    """Every command on every state of a transfer, by everybody: who may what."""

    STATES = ("none", "to_binh", "to_sale", "expired")
    PEOPLE = ("an", "binh", "chi", "dung", "chu", "la")
    ALLOWED: ClassVar = {
        ("none", "transfer", "an"),
        *(("none", "accept", "an"), ("to_binh", "accept", "an"), ("to_sale", "accept", "an")),
        ("expired", "accept", "an"),
        *(("to_binh", answer, "binh") for answer in ("accept", "reject")),
        *(("to_sale", answer, agent) for answer in ("accept", "reject") for agent in ("binh", "chi", "dung")),
        *((state, "cancel", by) for state in ("to_binh", "to_sale", "expired") for by in ("an", "chu")),
    }
    """An, who holds it, has what he accepts."""

    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize("by", PEOPLE)
    @pytest.mark.parametrize("what", ["transfer", "accept", "reject", "cancel"])
    def test_each_cell(self, scene: Scene, state: str, what: str, by: str) -> None:
        if state != "none":
            scene.do(to_sale() if state == "to_sale" else to_binh())
        if state == "expired":
            scene.log.wait(seconds=200)
        commands = {
            "transfer": ask(Transfer, "lan", by, to_agent="chi"),
            "accept": ask(TransferAccept, "lan", by),
            "reject": ask(TransferReject, "lan", by),
            "cancel": ask(TransferCancel, "lan", by),
        }
        before = lan(scene)
        *_, outcome = scene.do(commands[what])
        assert isinstance(outcome, Done if (state, what, by) in self.ALLOWED else Refused)
        if isinstance(outcome, Refused):
            assert lan(scene) == before
            assert outcome.sentence
        assert lan(scene).key == key_of("lan")
