"""What happens while a session is open: silence, an agent who is not there, a human outside, a block."""

from __future__ import annotations

import pytest

from schemas.asks import Appoint, Block, Claim, Release, SetCare, TakeOver, Transfer, TransferAccept, Unblock
from schemas.assignments import (
    Assigned,
    Blocked,
    CareChanged,
    Confirmed,
    HolderAbsent,
    Offered,
    Queued,
    Quieted,
    SessionOpened,
    SessionSilenced,
    SessionWoken,
    TransferEnded,
    Unassigned,
    Unblocked,
    Unfollowed,
)
from schemas.base import rfc3339
from schemas.commands import Command
from schemas.definitions import Agent
from tests.desk.flows import answered_outside, come, give_policy, names, rule_with, run_out, silent, touched
from tests.desk.log import an_agent, ask, configure, route, session_ended
from tests.desk.people import presence
from tests.desk.scene import Scene, restarted, snapshot
from workers.routing.desk.timers import timers_of


def a_scene(*agents: Agent | str, **options: object) -> Scene:
    """A desk with one rule for these agents, all of them online; chu is the page's admin."""
    scene = Scene()
    ids = [agent if isinstance(agent, str) else agent.id for agent in agents]
    scene.do(configure([*agents, "chu"], [rule_with(*ids, **options)]))
    give_policy(scene, silent_after_s=600)
    come(scene, *ids)
    return scene


class TestSilence:
    def test_takes_the_load_away_and_serves_who_waits(self) -> None:
        scene = a_scene(an_agent("an", 1))
        scene.do(route("lan"))
        scene.do(route("minh"))
        silenced, assigned = scene.do(silent("lan"))
        assert isinstance(silenced, SessionSilenced)
        assert (silenced.holder, silenced.standing) == ("an", "held")
        assert (assigned.key, assigned.holder) == (scene.conversation("minh").key, "an")
        assert scene.desk.duties["an"].load == 1

    def test_ends_when_somebody_writes_and_nobody_is_added_above_capacity(self) -> None:
        scene = a_scene(an_agent("an", 1))
        for user in ("lan", "minh", "tuan"):
            scene.do(route(user))
            scene.do(silent("lan"))
        for by in ("customer", "agent"):
            (woken,) = scene.do(touched("lan", by=by))
            assert isinstance(woken, SessionWoken)
            assert scene.desk.duties["an"].load == 2
            scene.do(silent("lan"))
        scene.do(touched("lan"))
        assert names(scene.do(session_ended("lan"))) == ["SessionClosed"]
        assert scene.conversation("tuan").standing == "queued"

    def full_of_silence(self, agent: Agent) -> Scene:
        """An, who takes one, has Lan and Minh, both silent; Tuan waits."""
        scene = a_scene(agent)
        for user in ("lan", "minh"):
            scene.do(route(user))
            scene.do(silent(user))
        scene.do(route("tuan"))
        assert (scene.holders(), scene.conversation("tuan").standing) == (["an", "an"], "queued")
        return scene

    def test_is_free_only_of_as_many_as_he_takes_so_that_he_has_twice_that_when_all_wake(self) -> None:
        scene = self.full_of_silence(an_agent("an", 1))
        assert scene.events(Queued)[-1].passed_over == {"at_capacity": 1}
        assert snapshot(restarted(scene.desk)) == snapshot(scene.desk)
        for user in ("lan", "minh"):
            assert names(scene.do(touched(user))) == ["SessionWoken"]
        assert scene.desk.duties["an"].load == 2

    def test_is_bounded_on_a_channel_that_he_takes_less_of(self) -> None:
        limited = an_agent("an").model_copy(update={"channel_capacity": {"zalo": 1}})
        scene = self.full_of_silence(limited)
        assert snapshot(restarted(scene.desk)) == snapshot(scene.desk)
        assert names(scene.do(session_ended("lan"))) == ["SessionClosed", "Assigned"]
        assert snapshot(restarted(scene.desk)) == snapshot(scene.desk)

    @pytest.mark.parametrize(
        "command",
        [
            session_ended("lan"),
            ask(Release, "lan", "an"),
            ask(Transfer, "lan", "an", to_agent="chu"),
            ask(TakeOver, "lan", "chu"),
            ask(Block, "lan", "chu"),
        ],
        ids=["ends", "is released", "is transferred", "is taken over", "is kept out"],
    )
    def test_of_a_full_agent_makes_room_when_it(self, command: Command) -> None:
        scene = self.full_of_silence(an_agent("an", 1))
        come(scene, "chu")
        scene.do(command)
        scene.do(ask(TransferAccept, "lan", "chu"))
        assert scene.conversation("tuan").holder == "an"

    def test_beyond_it_a_person_may_appoint_and_it_is_said(self) -> None:
        scene = self.full_of_silence(an_agent("an", 1))
        (assigned, *_) = scene.do(ask(Appoint, "tuan", "chu", agent="an"))
        assert assigned.why.exceeds == ("capacity",)

    def test_of_who_waits_is_nobodys_and_whoever_is_given_him_has_him_as_load(self) -> None:
        scene = a_scene(an_agent("an", 2), online_only=True)
        come(scene, "an", presence="offline")
        for number in range(10):
            scene.do(route(f"u{number}"))
            assert scene.do(silent(f"u{number}")) == []
        scene.do(presence("an"))
        assert scene.holders() == ["an", "an"]
        assert scene.desk.duties["an"].load == 2

    def test_ends_with_another_holder(self) -> None:
        scene = a_scene("an", an_agent("binh", 1))
        scene.do(route("lan"))
        scene.do(silent("lan"))
        scene.do(ask(Transfer, "lan", "an", to_agent="binh"))
        scene.do(ask(TransferAccept, "lan", "binh"))
        assert (scene.conversation("lan").silent, scene.desk.duties["binh"].load) == (False, 1)
        scene.do(silent("lan"))
        scene.do(ask(Release, "lan", "binh"))
        assert not scene.conversation("lan").silent

    def test_is_told_once_and_of_the_open_session_only(self) -> None:
        scene = a_scene("an")
        assert scene.do(silent("lan")) == []
        scene.do(route("lan"))
        assert scene.do(silent("lan", 2)) == []
        scene.do(silent("lan"))
        assert scene.do(silent("lan")) == []
        assert scene.do(touched("lan", session=2)) == []
        scene.do(session_ended("lan"))
        assert scene.do(silent("lan")) == []

    def test_does_nothing_when_the_policy_does_not_ask_for_it(self) -> None:
        scene = a_scene("an")
        give_policy(scene)
        scene.do(route("lan"))
        assert scene.do(silent("lan")) == []

    def test_a_message_in_a_session_that_counts_changes_nothing(self) -> None:
        scene = a_scene("an")
        scene.do(route("lan"))
        assert scene.do(touched("lan")) == []
        assert scene.do(touched("lan", by="agent")) == []


class TestAbsence:
    def absent(self, *agents: Agent | str, **options: object) -> Scene:
        """An has Lan and has gone; she writes."""
        scene = a_scene(*agents, **{"offline_grace_s": 60, **options})
        scene.do(route("lan"))
        come(scene, "an", presence="offline")
        return scene

    def test_of_the_agent_leaves_him_the_time_that_the_rule_says(self) -> None:
        scene = self.absent("an", "binh")
        (told,) = scene.do(touched("lan"))
        assert isinstance(told, HolderAbsent)
        assert told.until is not None
        assert ((told.until - told.at).total_seconds(), told.holder) == (60, "an")
        assert scene.do(touched("lan")) == []

    def test_then_it_is_back_in_the_pool_for_all_of_the_page(self) -> None:
        scene = self.absent("an", "binh")
        scene.do(touched("lan"))
        off, offered = run_out(scene, "offline")
        assert isinstance(off, Unassigned)
        assert (off.how, off.former_holder, off.care, off.by) == ("offline", "an", "waiting", None)
        assert isinstance(offered, Offered)
        assert (offered.audience, offered.rule, offered.unrouted) == ("page:zalo:100", "chia-deu", False)

    @pytest.mark.parametrize("claimer", ["an", "binh"])
    def test_whoever_is_first_has_it_from_the_pool_he_himself_too(self, claimer: str) -> None:
        scene = self.absent("an", "binh")
        scene.do(touched("lan"))
        run_out(scene, "offline")
        scene.do(ask(Claim, "lan", claimer))
        assert scene.conversation("lan").holder == claimer

    def test_who_was_away_has_not_declined_it(self) -> None:
        scene = self.absent("an")
        scene.do(touched("lan"))
        run_out(scene, "offline")
        assert scene.conversation("lan").declined == frozenset()

    def test_whoever_waits_has_his_place_when_he_is_free_by_it(self) -> None:
        scene = self.absent(an_agent("an", 1))
        scene.do(route("minh"))
        scene.do(touched("lan"))
        *_, assigned = run_out(scene, "offline")
        assert (assigned.key, assigned.holder) == (scene.conversation("minh").key, "an")

    def test_he_keeps_it_when_he_is_back_in_time(self) -> None:
        scene = self.absent("an", "binh")
        scene.do(touched("lan"))
        come(scene, "an")
        (told,) = run_out(scene, "offline")
        assert (told.until, told.holder) == (None, "an")
        assert timers_of(scene.conversation("lan")) == []

    def test_he_keeps_it_when_he_answers(self) -> None:
        scene = self.absent("an", "binh")
        scene.do(touched("lan"))
        (told,) = scene.do(touched("lan", by="agent"))
        assert told.until is None

    @pytest.mark.parametrize("sender", ["7001", None])
    def test_he_keeps_it_when_a_human_answers_outside(self, sender: str | None) -> None:
        scene = self.absent("an", "binh")
        give_policy(scene, outside_agents={"7001": "an"})
        scene.do(touched("lan"))
        (told,) = scene.do(answered_outside("lan", sender))
        assert isinstance(told, HolderAbsent)
        assert (told.until, told.holder, told.after_position) == (None, "an", 5)
        assert timers_of(scene.conversation("lan")) == []

    def test_counts_when_a_new_session_opens_too(self) -> None:
        scene = self.absent("an")
        scene.do(session_ended("lan"))
        assert names(scene.do(route("lan", 2))) == ["SessionOpened", "HolderAbsent"]

    def test_does_not_matter_where_the_rule_gives_no_time(self) -> None:
        scene = self.absent("an", offline_grace_s=None)
        assert scene.do(touched("lan")) == []

    def test_ends_with_the_session_or_another_holder(self) -> None:
        scene = self.absent("an", "binh")
        scene.do(touched("lan"))
        scene.do(ask(TakeOver, "lan", "chu"))
        assert timers_of(scene.conversation("lan")) == []
        scene = self.absent("an", "binh")
        scene.do(touched("lan"))
        scene.do(session_ended("lan"))
        assert timers_of(scene.conversation("lan")) == []

    def test_takes_no_done_conversation_away(self) -> None:
        scene = self.absent("an", "binh")
        give_policy(scene, done_from=("accepted",))
        scene.do(touched("lan"))
        scene.do(ask(SetCare, "lan", "chu", care="done", outcome="won"))
        (told,) = run_out(scene, "offline")
        assert (told.until, told.holder, told.care) == (None, "an", "done")


class TestOutside:
    def test_a_human_makes_a_new_one_wait_in_quiet_and_then_it_is_dealt_with_its_age(self) -> None:
        scene = a_scene()
        scene.do(route("lan"))
        queued_at = scene.conversation("lan").queued_at
        changed, quieted = scene.do(answered_outside("lan"))
        assert isinstance(changed, CareChanged)
        assert (changed.former_care, changed.care) == ("new", "waiting")
        assert isinstance(quieted, Quieted)
        assert (quieted.standing, (quieted.until - quieted.at).total_seconds()) == ("idle", 1_800)
        (confirmed,) = scene.do(route("lan", opens_session=False))
        assert isinstance(confirmed, Confirmed)
        (queued,) = run_out(scene, "quiet")
        assert isinstance(queued, Queued)
        assert queued.queued_at == queued_at
        assert timers_of(scene.conversation("lan")) == []

    def test_nobody_gets_it_meanwhile_but_by_a_person(self) -> None:
        scene = a_scene(an_agent("an", 1))
        scene.do(route("minh"))
        scene.do(route("lan"))
        scene.do(answered_outside("lan"))
        scene.do(session_ended("minh"))
        assert scene.conversation("lan").standing == "idle"
        scene.do(ask(Appoint, "lan", "chu", agent="an"))
        assert scene.conversation("lan").holder == "an"
        assert timers_of(scene.conversation("lan")) == []

    def test_who_claims_it_then_is_told_why_he_cannot_and_until_when(self) -> None:
        scene = a_scene("an", method="self_claim")
        scene.do(route("lan"))
        scene.do(answered_outside("lan"))
        *_, refused = scene.do(ask(Claim, "lan", "an"))
        assert (refused.code, refused.allowed) == ("not_listed", ())
        assert "outside" in refused.sentence
        until = scene.conversation("lan").quiet_until
        assert until is not None
        assert refused.details == {"until": rfc3339(until)}
        scene.do(session_ended("lan"))
        *_, refused = scene.do(ask(Claim, "lan", "an"))
        assert "its session has ended" in refused.sentence
        assert refused.details == {}

    def test_an_admin_who_answers_without_holding_it_makes_it_wait_where_it_stands(self) -> None:
        scene = a_scene(an_agent("an", 1))
        scene.do(route("minh"))
        scene.do(route("lan"))
        (changed,) = scene.do(touched("lan", by="agent"))
        assert isinstance(changed, CareChanged)
        assert (changed.former_care, changed.care, changed.standing) == ("new", "waiting", "queued")
        assert scene.do(touched("lan", by="agent")) == []

    def test_so_does_he_between_two_sessions(self) -> None:
        scene = a_scene()
        scene.do(route("lan"))
        scene.do(session_ended("lan"))
        events = scene.do(route("lan", 2).model_copy(update={"answered": True}))
        assert names(events) == ["SessionOpened", "CareChanged", "Queued"]

    def test_another_answer_prolongs_the_quiet(self) -> None:
        scene = a_scene()
        scene.do(route("lan"))
        scene.do(answered_outside("lan"))
        scene.log.wait(seconds=100)
        (quieted,) = scene.do(answered_outside("lan"))
        assert (quieted.until - quieted.at).total_seconds() == 1_800

    def test_the_quiet_ends_with_its_session(self) -> None:
        scene = a_scene()
        scene.do(route("lan"))
        scene.do(answered_outside("lan"))
        scene.do(session_ended("lan"))
        assert timers_of(scene.conversation("lan")) == []
        assert isinstance(scene.do(route("lan", 2))[-1], Queued)

    def test_an_agent_whom_the_policy_knows_has_it_by_that(self) -> None:
        scene = a_scene(an_agent("an", 1))
        give_policy(scene, outside_agents={"7001": "an"})
        scene.do(route("minh"))
        scene.do(route("lan"))
        (assigned,) = scene.do(answered_outside("lan", "7001"))
        assert isinstance(assigned, Assigned)
        assert (assigned.holder, assigned.care) == ("an", "accepted")
        assert (assigned.why.method, assigned.why.exceeds) == ("outside", ("capacity",))

    @pytest.mark.parametrize("sender", ["7002", None])
    def test_somebody_else_has_it_not(self, sender: str | None) -> None:
        scene = a_scene()
        give_policy(scene, outside_agents={"7001": "an", "7002": "gone"})
        scene.do(route("lan"))
        assert names(scene.do(answered_outside("lan", sender))) == ["CareChanged", "Quieted"]

    def test_who_holds_it_keeps_it(self) -> None:
        scene = a_scene("an", "binh")
        give_policy(scene, outside_agents={"7001": "binh"})
        scene.do(route("lan"))
        assert scene.do(answered_outside("lan", "7001")) == []
        assert scene.do(answered_outside("nobody")) == []


class TestBlocked:
    def blocked(self, *agents: str) -> Scene:
        """Lan was kept out for a while before she wrote again."""
        scene = a_scene(*agents)
        scene.do(route("lan"))
        scene.do(session_ended("lan"))
        scene.think(
            lambda draft: draft.tell(
                Blocked,
                scene.conversation("lan"),
                until=draft.place.at.replace(year=2099),
                by="agent:acme/an",
                command="b",
            )
        )
        return scene

    def test_a_customer_who_is_kept_out_is_not_routed_but_answered(self) -> None:
        scene = self.blocked()
        (opened,) = scene.do(route("lan", 2))  # he wrote before intake knew of the block
        assert isinstance(opened, SessionOpened)
        assert (opened.standing, opened.session) == ("idle", 2)
        (confirmed,) = scene.do(route("lan", 2, opens_session=False))
        assert isinstance(confirmed, Confirmed)

    def test_a_block_ends_by_itself_and_who_has_written_is_routed(self) -> None:
        scene = self.blocked()
        scene.do(route("lan", 2))
        unblocked, queued = run_out(scene, "block")
        assert isinstance(unblocked, Unblocked)
        assert unblocked.by is None
        assert isinstance(queued, Queued)

    def test_who_holds_a_blocked_customer_has_room_for_another_until_he_is_let_in(self) -> None:
        scene = a_scene(an_agent("an", 1))
        scene.do(route("lan"))
        scene.do(route("minh"))
        assert scene.conversation("minh").standing == "queued"
        told = scene.do(ask(Block, "lan", "an", reason="spam"))
        assert names(told) == ["Blocked", "Assigned"]
        lan = scene.conversation("lan")
        assert (lan.holder, lan.blocked_by, lan.blocked_reason) == ("an", "agent:acme/an", "spam")
        assert scene.desk.duties["an"].load == 1
        scene.do(ask(Unblock, "lan", "an"))
        assert scene.desk.duties["an"].load == 2  # as before: nobody loses what he holds
        assert scene.conversation("lan").blocked_by is None

    def test_nobody_takes_over_whom_the_holder_of_has_blocked(self) -> None:
        scene = a_scene("an", "binh")
        scene.do(route("lan"))
        scene.do(ask(Transfer, "lan", "an", to_agent="binh"))
        ended, blocked, _ = scene.do(ask(Block, "lan", "an"))
        assert isinstance(ended, TransferEnded)
        assert isinstance(blocked, Blocked)
        assert (ended.how, blocked.holder, scene.conversation("lan").transfer) == ("overtaken", "an", None)
        *_, refused = scene.do(ask(TransferAccept, "lan", "binh"))
        assert (refused.code, scene.conversation("lan").holder) == ("expired", "an")

    def test_nobody_can_transfer_it(self) -> None:
        scene = self.blocked("an", "binh")
        *_, refused = scene.do(ask(Transfer, "lan", "an", to_agent="binh"))
        assert (refused.code, refused.allowed) == ("blocked", ("unblock",))


class TestFormerHolder:
    @pytest.mark.parametrize("follow", [True, False])
    def test_goes_on_following_unless_the_policy_says_otherwise(self, *, follow: bool) -> None:
        scene = a_scene("an", "binh")
        give_policy(scene, former_holders_follow=follow)
        scene.do(route("lan"))
        scene.do(ask(Transfer, "lan", "an", to_agent="binh"))
        events = scene.do(ask(TransferAccept, "lan", "binh"))
        assert [event.agent for event in events if isinstance(event, Unfollowed)] == (
            [] if follow else ["an"]
        )
        assert scene.conversation("lan").followers == ({"an", "binh"} if follow else {"binh"})

    def test_of_one_that_is_reopened_for_him_follows(self) -> None:
        scene = a_scene("an")
        give_policy(scene, former_holders_follow=False, done_from=("accepted",))
        scene.do(route("lan"))
        scene.do(ask(SetCare, "lan", "an", care="done", outcome="won"))
        scene.do(route("lan", 2))
        assert scene.conversation("lan").followers == {"an"}

    def test_of_one_that_is_reopened_for_another_follows_by_the_policy(self) -> None:
        scene = a_scene(an_agent("an", 1), "binh")
        give_policy(scene, former_holders_follow=False, done_from=("accepted",))
        for user in ("lan", "minh"):
            scene.do(route(user))
        scene.do(ask(SetCare, "lan", "an", care="done", outcome="won"))
        scene.do(session_ended("lan"))
        scene.do(ask(Appoint, "minh", "chu", agent="an"))
        scene.do(route("lan", 2))
        assert scene.conversation("lan").holder == "binh"
        assert scene.conversation("lan").followers == {"binh"}


def test_an_offer_that_nobody_takes_goes_on_and_its_timer_with_it() -> None:
    scene = Scene()
    rule = rule_with("an", method="self_claim", offer_timeout_s=30, next_rings=[{"agents": ["binh"]}])
    scene.do(configure(["an", "binh", "chu"], [rule]))
    scene.do(route("lan"))
    (offered,) = run_out(scene, "offer")
    assert isinstance(offered, Offered)
    assert (offered.agents, offered.expires_at, offered.let_pass) == (("binh",), None, ("an",))
    assert timers_of(scene.conversation("lan")) == []
