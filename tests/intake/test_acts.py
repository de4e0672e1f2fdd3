"""What agents, services and bots do: what it changes, who may, and the one outcome it has."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.envelope import Kind, moment
from schemas.ids import conversation_id
from schemas.messages import CustomerChanged, Read, Stored
from schemas.outbound import Send
from schemas.outcomes import Done, Refused
from tests.intake.chat import KEY, Chat, held, offered, started
from tests.intake.in_memory import SILENCE_MS
from tests.intake.log import Log, key_of, letters

TEXT = {"text": "Dạ còn hàng ạ"}


class TestAnAnswer:
    def test_of_the_holder_is_stored_and_sent(self) -> None:
        chat = held()
        said_at = chat.log.now_ms
        chat.log.wait(seconds=5)
        became, outcome = chat.act(
            "say", text="Dạ còn", attachments=[{"type": "image", "url": "https://x/1"}]
        )
        stored = Stored.model_validate(chat.intake.stored[-1])
        assert (stored.sender, stored.sender_id, stored.kind, stored.text) == (
            "agent",
            "lan",
            "text",
            "Dạ còn",
        )
        (sent,) = (Send.model_validate(value) for value in chat.intake.sent)
        assert (sent.message, sent.position) == (stored.message, stored.position)
        assert (sent.text, sent.attachments, sent.sender) == (
            "Dạ còn",
            stored.attachments,
            "agent:acme/lan",
        )
        assert sent.last_customer_at is not None
        assert round(sent.last_customer_at.timestamp() * 1000) == said_at
        done = Done.model_validate(outcome)
        assert (became, done.command, done.actor) == ("done", "say", "agent:acme/lan")
        assert done.result == {"message": str(stored.message), "position": stored.position}
        assert chat.conversation.session_agent_messages == 1

    def test_quotes_by_the_channels_own_id(self) -> None:
        chat = held()
        chat.act("say", **TEXT, reply_to=1)
        assert chat.intake.sent[-1]["reply_to"] == "m1"
        assert chat.intake.stored[-1]["params"] == {"reply_to": 1}

    def test_to_one_of_our_own_says_no_id_that_the_channel_has_not_told(self) -> None:
        chat = held()
        _, outcome = chat.act("say", **TEXT)
        chat.act("say", **TEXT, reply_to=outcome["result"]["position"])
        assert chat.intake.sent[-1]["reply_to"] is None

    @pytest.mark.parametrize("position", [2, 99])
    def test_does_not_quote_log_lines_or_what_is_not_there(self, position: int) -> None:
        chat = held()
        assert chat.intake.stored[1]["kind"] == "log"
        assert chat.refusal("say", **TEXT, reply_to=position) == "unknown_message"

    def test_of_another_agent_is_refused_and_names_the_holder(self) -> None:
        chat = held()
        assert chat.refusal("say", **TEXT, by="minh") == "not_holder"
        _, outcome = chat.act("say", **TEXT, by="minh")
        assert outcome["details"] == {"holder": "lan"}

    @pytest.mark.parametrize("standing", ["idle", "queued", "offered"])
    def test_when_nobody_holds_it_is_refused(self, standing: str) -> None:
        chat = started()
        if standing != "idle":
            chat.desk(standing)
        assert chat.refusal("say", **TEXT) == "not_holder"
        _, outcome = chat.act("say", **TEXT)
        assert outcome["allowed"] == (["claim"] if standing == "offered" else [])

    def test_of_an_admin_goes_out_whoever_holds_it(self) -> None:
        chat = held()
        assert chat.act("say", **TEXT, by="hoa", authority="admin")[0] == "done"
        assert chat.intake.stored[-1]["sender_id"] == "hoa"

    def test_of_a_page_admin_goes_out_too_but_to_an_offer_it_is_a_claim(self) -> None:
        chat = held()
        assert chat.act("say", **TEXT, by="hoa", authority="page_admin")[0] == "done"
        asked = offered()
        asked.waits(by="hoa", authority="page_admin")
        assert asked.commands()[-1] == "reply_claim"

    def test_of_a_bot_goes_out_and_never_counts_as_care(self) -> None:
        chat = offered()
        asked = chat.commands()
        assert chat.act("say", **TEXT, by=None)[0] == "done"
        line = chat.intake.stored[-1]
        assert (line["sender"], line["sender_id"]) == ("bot", "service:bot")
        assert chat.conversation.session_agent_messages == 0
        assert chat.commands() == asked

    def test_to_a_blocked_customer_is_refused_for_everybody(self) -> None:
        chat = held()
        chat.desk("blocked", standing="held", holder="lan")
        whoever: list[dict[str, Any]] = [{}, {"by": None}, {"by": "hoa", "authority": "admin"}]
        for who in whoever:
            assert chat.refusal("say", **TEXT, **who) == "blocked"
        chat.desk("unblocked", standing="held", holder="lan")
        assert chat.act("say", **TEXT)[0] == "done"

    @pytest.mark.parametrize("who", [{"by": "minh"}, {"by": None}])
    def test_in_another_agents_name_is_refused(self, who: dict[str, Any]) -> None:
        chat = held()
        assert chat.refusal("say", **TEXT, actor="agent:acme/lan", **who) == "forbidden"

    def test_in_another_workspaces_name_is_refused(self) -> None:
        assert held().refusal("say", **TEXT, actor="agent:khac/lan") == "forbidden"

    def test_outside_of_a_session_opens_none(self) -> None:
        chat = held()
        chat.act("end_session")
        chat.act("say", **TEXT)
        assert not chat.conversation.session_open
        assert chat.commands()[-1] == "session_ended"

    def test_between_sessions_is_told_with_the_next_that_the_customer_opens(self) -> None:
        chat = started()
        chat.act("end_session", by="hoa", authority="admin")
        chat.act("say", **TEXT, by="hoa", authority="admin")
        chat.customer()
        what, route = chat.intake.commands[-1]
        assert (what, route["session"], route["answered"]) == ("route", 2, True)


class TestANote:
    def test_is_stored_and_names_colleagues_and_is_not_sent(self) -> None:
        chat = held()
        asked = chat.commands()
        became, outcome = chat.act("write_note", text="khách quen", mentions=["minh"], by="hoa")
        line = Stored.model_validate(chat.intake.stored[-1])
        assert (line.sender, line.sender_id, line.kind, line.mentions) == ("agent", "hoa", "note", ("minh",))
        assert line.params == {"mentions": ["minh"]}
        assert (became, outcome["result"]["position"]) == ("done", line.position)
        assert (chat.intake.sent, chat.commands()) == ([], asked)


class TestAReadMark:
    def test_is_published_with_its_place_in_the_chain(self) -> None:
        chat = held()
        assert chat.act("mark_read", position=1, by="minh")[0] == "done"
        ((what, value),) = chat.intake.told
        read = Read.model_validate(value)
        assert (what, read.agent, read.position, read.seq, read.epoch) == ("read", "minh", 1, 2, 1)

    def test_behind_the_transcripts_end_is_refused(self) -> None:
        assert held().refusal("mark_read", position=99) == "unknown_message"

    def test_is_an_agents(self) -> None:
        assert held().refusal("mark_read", position=1, by=None) == "forbidden"


class TestEndingASession:
    def test_ends_it_and_tells_the_desk(self) -> None:
        chat = held()
        chat.act("say", **TEXT)
        became, outcome = chat.act("end_session")
        assert (became, outcome["result"]) == ("done", {"session": 1})
        what, ended = chat.intake.commands[-1]
        assert (what, ended["ended_by"], ended["session"]) == ("session_ended", "agent", 1)
        assert (ended["customer_messages"], ended["agent_messages"]) == (1, 1)
        (ending,) = chat.intake.endings
        assert (ending.session, ending.ended_by) == (1, "agent")
        assert (chat.conversation.session_open, chat.conversation.timer_at_ms) == (False, None)

    def test_is_for_its_holder(self) -> None:
        assert held().refusal("end_session", by="minh") == "not_holder"

    def test_needs_an_open_one(self) -> None:
        chat = held()
        chat.act("end_session")
        assert chat.refusal("end_session") == "no_session"

    def test_lets_the_next_message_open_another(self) -> None:
        chat = held()
        chat.act("end_session")
        chat.customer()
        what, route = chat.intake.commands[-1]
        assert (what, route["session"], route["opens_session"]) == ("route", 2, True)


class TestLabels:
    def test_come_and_go_and_are_told(self) -> None:
        chat = held()
        chat.act("set_labels", add_tags=["vip", "nợ"], add_groups=["sỉ"])
        _, outcome = chat.act("set_labels", add_tags=["mới", "vip"], remove_tags=["nợ"])
        assert outcome["result"] == {"tags": ["vip", "mới"], "groups": ["sỉ"]}
        what, value = chat.intake.told[-1]
        changed = CustomerChanged.model_validate(value)
        assert (what, changed.tags, changed.groups, changed.by) == (
            "customer_changed",
            ("vip", "mới"),
            ("sỉ",),
            "lan",
        )

    def test_that_change_nothing_are_not_told_again(self) -> None:
        chat = held()
        chat.act("set_labels", add_tags=["vip"])
        assert chat.act("set_labels", add_tags=["vip"], remove_tags=["nợ"])[0] == "done"
        assert len(chat.intake.told) == 1

    def test_are_bounded(self) -> None:
        chat = held()
        chat.act("set_labels", add_tags=[f"t{number}" for number in range(100)])
        assert chat.refusal("set_labels", add_tags=["more"]) == "too_many"

    def test_are_facts_of_the_next_route(self) -> None:
        chat = held()
        chat.act("set_labels", add_tags=["vip"])
        chat.act("end_session")
        chat.customer()
        assert chat.intake.commands[-1][1]["tags"] == ["vip"]


class TestAProfile:
    def test_changes_where_it_is_given_and_an_empty_text_clears(self) -> None:
        chat = held()
        chat.act("set_profile", name="Chị An", phone="0901", birthday="1990-02-28", gender="female")
        _, outcome = chat.act("set_profile", phone="", address="12 Lê Lợi")
        expected = {"name": "Chị An", "birthday": "1990-02-28", "gender": "female", "address": "12 Lê Lợi"}
        assert outcome["result"] == {"profile": expected}
        assert CustomerChanged.model_validate(chat.intake.told[-1][1]).profile == expected

    def test_leaves_labels_and_the_channels_name_alone(self) -> None:
        chat = Chat()
        chat.customer(customer_name="An Trần")
        chat.act("set_labels", add_tags=["vip"])
        chat.act("set_profile", name="Chị An")
        assert chat.intake.told[-1][1]["tags"] == ["vip"]
        assert chat.conversation.customer_name == "An Trần"


class TestOutcomes:
    def test_come_once_for_an_action_that_comes_twice(self) -> None:
        chat = held()
        record = chat.log.act("u1", "say", **TEXT)
        chat.apply(record)
        chat.apply(record)
        chat.log.wait(hours=23)
        chat.apply(chat.log.append(Kind("actions", "say"), KEY, record.value))
        assert (len(chat.intake.outcomes), len(chat.intake.sent)) == (1, 1)

    def test_of_a_refusal_come_once_too_even_when_it_would_be_allowed_now(self) -> None:
        chat = held()
        record = chat.log.act("u1", "say", **TEXT, by="minh")
        chat.apply(record)
        chat.held_by("minh")
        chat.apply(record)
        assert [what for what, _ in chat.intake.outcomes] == ["refused"]

    def test_refuse_another_body_under_a_used_key_and_keep_the_first(self) -> None:
        chat = held()
        chat.act("say", **TEXT, idempotency_key="k")
        assert chat.refusal("say", text="khác", idempotency_key="k") == "key_reused"
        assert chat.refusal("write_note", **TEXT, idempotency_key="k") == "key_reused"
        chat.apply(chat.log.act("u1", "say", **TEXT, idempotency_key="k"))
        assert len(chat.intake.outcomes) == 3

    def test_are_forgotten_after_a_day(self) -> None:
        chat = held()
        chat.act("say", **TEXT, idempotency_key="k")
        chat.log.wait(hours=24)
        assert chat.act("say", text="khác", idempotency_key="k")[0] == "done"
        assert len({line["message"] for line in chat.intake.stored}) == len(chat.intake.stored)

    def test_belong_to_their_actor(self) -> None:
        chat = held()
        chat.act("say", **TEXT, idempotency_key="k")
        assert chat.act("write_note", text="x", idempotency_key="k", by="minh")[0] == "done"

    def test_of_what_nobody_began_say_so(self) -> None:
        chat = Chat()
        assert chat.refusal("say", **TEXT) == "unknown_conversation"
        assert Refused.model_validate(chat.intake.outcomes[-1][1]).command == "say"

    def test_are_keyed_by_their_actor(self) -> None:
        chat = held()
        batch = chat.apply(chat.log.act("u1", "say", **TEXT))
        (event,) = [one for events in batch.events.values() for one in events if one.topic == "outcomes"]
        assert event.key == b"agent:acme/lan"


class TestUnreadable:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"text": None},
            {"text": "a\0b"},
            {"idempotency_key": "k\0"},
            {"reply_to": 2**31},
            {"attachments": [{"type": "image\0"}]},
        ],
    )
    def test_actions_become_dead_letters(self, wrong: dict[str, Any]) -> None:
        chat = held()
        batch = chat.intake.apply([chat.log.act("u1", "say", **TEXT | wrong)])
        assert [reason for reason, _ in letters(batch)] == ["unreadable"]

    def test_so_do_those_of_another_conversation_than_their_key(self, log: Log) -> None:
        chat = held()
        batch = chat.intake.apply(
            [log.act("u1", "say", **TEXT, conversation=str(conversation_id(key_of("u2"))))]
        )
        assert [reason for reason, _ in letters(batch)] == ["wrong_key"]


class TestABlockedCustomer:
    def test_is_stored_and_neither_routed_nor_counted(self) -> None:
        chat = held()
        chat.desk("blocked", standing="held", holder="lan")
        asked = chat.commands()
        chat.customer()
        assert [chat.intake.stored[-1][name] for name in ("sender", "blocked")] == ["customer", True]
        chat.act("write_note", text="spam")
        assert "blocked" not in chat.intake.stored[-1]
        assert (chat.commands(), chat.conversation.session_customer_messages) == (asked, 1)

    def test_opens_no_session_until_let_in_again(self) -> None:
        chat = held()
        chat.act("end_session")
        chat.desk("blocked", standing="held", holder="lan")
        chat.customer()
        assert (chat.conversation.session, chat.conversation.session_open) == (1, False)
        chat.desk("unblocked", standing="held", holder="lan")
        chat.customer()
        assert "blocked" not in chat.intake.stored[-1]
        assert chat.intake.commands[-1][1]["opens_session"]


class TestDone:
    def test_ends_the_session(self) -> None:
        chat = held()
        chat.desk("care_changed", care="done", outcome="won")
        what, ended = chat.intake.commands[-1]
        assert (what, ended["ended_by"]) == ("session_ended", "done")
        assert not chat.conversation.session_open

    def test_of_an_earlier_session_ends_nothing(self) -> None:
        chat = held()
        chat.act("end_session")
        chat.customer()
        chat.desk("care_changed", care="done", session=1)
        assert chat.conversation.session_open

    def test_is_not_every_change(self) -> None:
        chat = held()
        chat.desk("care_changed", care="closed_won")
        assert chat.conversation.session_open


class TestTouching:
    def test_is_told_once_a_minute(self) -> None:
        chat = held()
        for _ in range(3):
            chat.log.wait(seconds=20)
            chat.customer()
        assert chat.commands() == ["route", "touched"]
        chat.log.wait(seconds=59)
        chat.act("say", **TEXT)
        chat.log.wait(seconds=1)
        chat.act("say", **TEXT)
        assert chat.commands() == ["route", "touched", "touched"]
        assert [value.get("by") for _, value in chat.intake.commands] == [None, "customer", "agent"]

    def test_tells_at_once_that_the_other_side_writes(self) -> None:
        chat = held()
        for _ in range(2):
            for _ in range(3):
                chat.log.wait(seconds=1)
                chat.act("say", **TEXT)
            for _ in range(3):
                chat.log.wait(seconds=1)
                chat.customer()
        assert [value.get("by") for _, value in chat.intake.commands] == [None, *("agent", "customer") * 2]

    def test_tells_other_tags_at_once_though_nobody_writes(self) -> None:
        chat = held()
        chat.act("set_labels", add_groups=["sỉ"])
        assert chat.commands() == ["route"]
        chat.act("set_labels", add_tags=["vip"])
        assert chat.commands() == ["route", "touched"]
        _, touched = chat.intake.commands[-1]
        assert (touched["by"], touched["tags"]) == ("nobody", ["vip"])
        chat.customer()
        assert chat.commands() == ["route", "touched"]

    def test_tells_no_tags_of_whom_no_session_is_open(self) -> None:
        chat = held()
        chat.act("end_session")
        chat.act("set_labels", add_tags=["vip"])
        assert chat.commands() == ["route", "session_ended"]

    def test_tells_of_a_silent_session_that_it_has_other_tags_and_is_silent_still(self) -> None:
        chat = held()
        chat.conversation.silent = True
        chat.act("set_labels", add_tags=["vip"])
        assert chat.conversation.silent
        chat.customer()
        assert [value.get("by") for _, value in chat.intake.commands] == [None, "nobody", "customer"]

    def test_is_not_told_outside_of_a_session(self) -> None:
        chat = held()
        chat.act("end_session")
        chat.log.wait(hours=1)
        chat.act("say", **TEXT)
        assert chat.commands() == ["route", "session_ended"]


class TestSilence:
    def _timer(self, chat: Chat) -> None:
        """The timer of silence comes, as far as it is armed."""
        due_ms = chat.conversation.silence_at_ms
        assert due_ms is not None
        chat.conversation.silence_at_ms = None
        chat.apply(chat.log.silence("u1", chat.conversation.session, due_ms))

    def _held(self) -> Chat:
        """Lan has it, on a desk that counts silent sessions no more."""
        chat = Chat()
        chat.policy(silent_after_s=30)
        chat.customer()
        chat.desk("assigned")
        return chat

    def _silent(self) -> Chat:
        chat = self._held()
        chat.log.wait(seconds=30)
        self._timer(chat)
        return chat

    def test_is_told_when_nobody_has_written_for_so_long(self) -> None:
        chat = self._silent()
        assert chat.commands() == ["route", "session_silent"]
        assert (chat.conversation.silent, chat.conversation.silence_at_ms) == (True, None)

    def test_is_waited_for_again_when_somebody_wrote(self) -> None:
        chat = held()
        chat.policy(silent_after_s=30)
        chat.log.wait(seconds=5)
        chat.customer()
        chat.log.wait(seconds=20)
        chat.act("say", **TEXT)
        said_ms = chat.log.now_ms
        chat.log.wait(seconds=10)
        self._timer(chat)
        assert chat.conversation.silence_at_ms == said_ms + 30_000
        assert "session_silent" not in chat.commands()

    def test_that_a_workers_clock_proposes_too_early_waits_on(self) -> None:
        chat = self._held()
        armed_ms = chat.conversation.silence_at_ms
        self._timer(chat)
        assert chat.conversation.silence_at_ms == armed_ms
        assert chat.commands() == ["route"]

    def test_is_broken_at_once_by_who_writes_next(self) -> None:
        chat = self._silent()
        chat.customer()
        assert chat.commands() == ["route", "session_silent", "touched"]
        assert chat.conversation.silence_at_ms == chat.log.now_ms + 30_000

    def test_of_a_session_that_nobody_has_is_not_told_and_begins_when_an_agent_is_given_it(self) -> None:
        chat = Chat()
        chat.policy(silent_after_s=30)
        chat.customer()
        chat.desk("queued")
        chat.log.wait(seconds=30)
        self._timer(chat)
        assert (chat.conversation.silent, chat.commands()) == (False, ["route"])
        chat.desk("assigned")
        assert chat.conversation.silence_at_ms == chat.log.now_ms + 30_000
        chat.log.wait(seconds=30)
        self._timer(chat)
        assert chat.commands() == ["route", "session_silent"]

    def test_begins_anew_with_another_agent_and_the_next_message_tells_that_somebody_writes(self) -> None:
        chat = self._silent()
        chat.desk("assigned", holder="minh")
        assert (chat.conversation.silent, chat.conversation.silence_at_ms) == (
            False,
            chat.log.now_ms + 30_000,
        )
        chat.customer()
        assert chat.commands() == ["route", "session_silent", "touched"]

    def test_whose_timer_was_on_its_way_when_an_agent_was_given_it_waits_for_the_later_one(self) -> None:
        chat = Chat()
        chat.policy(silent_after_s=30)
        chat.customer()
        due_ms = chat.conversation.silence_at_ms
        assert due_ms is not None
        chat.conversation.silence_at_ms = None
        chat.log.wait(seconds=30)
        chat.desk("assigned")
        chat.apply(chat.log.silence("u1", 1, due_ms))
        assert chat.commands() == ["route"]
        assert chat.conversation.silence_at_ms == chat.log.now_ms + 30_000

    def test_is_nothing_without_a_policy_or_a_session(self) -> None:
        chat = held()
        assert chat.conversation.silence_at_ms is None
        chat.policy(silent_after_s=30)
        chat.customer()
        chat.act("end_session")
        assert chat.conversation.silence_at_ms is None
        chat.apply(chat.log.silence("u1", 1, chat.log.now_ms))
        assert "session_silent" not in chat.commands()

    def test_ends_the_session_after_the_longer_one(self) -> None:
        chat = self._silent()
        assert chat.conversation.session_open
        chat.log.wait(milliseconds=SILENCE_MS)
        chat.apply(chat.log.session_timer("u1", 1, chat.log.now_ms))
        assert chat.commands() == ["route", "session_silent", "session_ended"]


class TestOutsideAnswers:
    def test_of_humans_are_told_and_those_of_bots_are_not(self) -> None:
        chat = held()
        chat.apply(chat.log.say("u1", "e1", what="echo", author="bot", author_id="app"))
        chat.apply(chat.log.say("u1", "e2", what="echo", author="human", author_id="263"))
        what, value = chat.intake.commands[-1]
        assert (what, value["sender_id"], value["position"]) == ("outside_answer", "263", 4)
        assert chat.commands() == ["route", "outside_answer"]

    def test_where_no_customer_has_written_are_only_stored(self) -> None:
        chat = Chat()
        chat.apply(chat.log.say("u1", "e1", what="echo", author="human"))
        assert (chat.commands(), len(chat.intake.stored)) == ([], 1)


class TestQuiet:
    def test_each_message_asks_the_desk_once_and_its_answer_lets_the_next_one_ask(self) -> None:
        chat = offered()
        chat.desk("quieted", until=moment(chat.log.now_ms + 1_800_000).isoformat(), care="waiting")
        assert chat.conversation.standing == "idle"
        chat.customer()
        chat.customer()
        assert chat.commands() == ["route", "route"]
        assert not any(value["opens_session"] for _, value in chat.intake.commands[1:])
        chat.desk("confirmed", care="waiting")
        chat.customer()
        assert chat.commands() == ["route", "route", "route"]

    def test_gives_no_log_line_and_leaves_the_session_open(self) -> None:
        chat = offered()
        lines = len(chat.intake.stored)
        chat.desk("quieted", until=moment(chat.log.now_ms + 1_800_000).isoformat(), care="waiting")
        assert len(chat.intake.stored) == lines
        assert chat.conversation.session_open

    def test_ends_when_the_desk_finds_somebody(self) -> None:
        chat = offered()
        chat.desk("quieted", until=moment(chat.log.now_ms + 1_800_000).isoformat(), care="waiting")
        chat.held_by("minh")
        chat.customer()
        assert chat.commands() == ["route"]


class TestKeywords:
    def test_are_facts_of_a_route(self) -> None:
        chat = Chat()
        chat.policy(
            keyword_lists=[
                {"id": "price", "words": ["giá", "bao nhiêu"]},
                {"id": "angry", "words": ["lừa đảo"]},
            ]
        )
        chat.customer("Áo này GIA BAO NHIEU ạ?")
        assert chat.intake.commands[-1][1]["lists"] == ["price"]
