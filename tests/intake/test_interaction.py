"""What customers do that their channels count as writing: noted, so that answers to it are not held back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from schemas.inbound import Echo, Profile, Reaction
from tests.intake.chat import USER, Chat, held
from tests.intake.log import BEGIN_MS, PAGE
from workers.channels import messenger_gesture
from workers.routing.intake import interaction
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.work import Work
from workers.runtime.batch import Batch

ID = str(UUID(int=1))
HOUR_MS = 60 * 60 * 1000
LATER_MS = BEGIN_MS + HOUR_MS


def noted(page: str, value: Any) -> tuple[int | None, int | None]:  # noqa: ANN401 - what may come on inbound
    """When the customer of a held conversation then has interacted, and come by an advertisement."""
    work = Work(Batch("intake", [], []))
    conversation = Conversation("acme", "main", ID, 0, f"{page}:an", page, session=1, last_at_ms=BEGIN_MS)
    interaction.note(work, conversation, LATER_MS, value)
    found = conversation.interacted_at_ms, conversation.ad_at_ms
    assert bool(work.changed) == (found != (None, None)), "what is noted is stored"
    return found


def who(page: str) -> dict[str, Any]:
    channel, _, account = page.partition(":")
    return {"channel": channel, "account": account, "user": "an"}


@pytest.mark.parametrize("page", ["messenger:1", "zalo:1"])
def test_what_he_has_just_done_himself_counts_and_what_is_looked_up_does_not(page: str) -> None:
    assert noted(page, Profile(**who(page), name="An", interaction=True)) == (LATER_MS, None)
    assert noted(page, Profile(**who(page), name="An", follows=True)) == (None, None)
    echo = Echo(**who(page), channel_message_id="e", text="ạ", author="bot", sent_at_ms=LATER_MS)
    assert noted(page, echo) == (None, None)


def test_a_reaction_counts_on_messenger_only_and_not_when_it_is_taken_back() -> None:
    for page, at_ms in (("messenger:1", LATER_MS), ("zalo:1", None)):
        assert noted(page, Reaction(**who(page), of="m", emoji="❤️")) == (at_ms, None)
        assert noted(page, Reaction(**who(page), of="m")) == (None, None)
        assert noted(page, Reaction(**who(page), of="m", emoji="❤️", by="page")) == (None, None)


def test_an_advertisement_is_noted_with_what_he_says_and_with_a_link_that_he_follows() -> None:
    chat = Chat()
    chat.customer("còn hàng không", referral={"source": "ADS", "ad_id": "6"})
    assert chat.conversation.ad_at_ms == chat.conversation.last_at_ms == BEGIN_MS
    assert chat.conversation.interacted_at_ms is None, "his message says that"
    clicked = messenger_gesture.referred(who(PAGE), {"source": "ADS", "ad_id": "6"})
    assert noted(PAGE, clicked) == (LATER_MS, LATER_MS)
    followed = messenger_gesture.referred(who(PAGE), {"source": "SHORTLINK", "ref": "r"})
    assert noted(PAGE, followed) == (LATER_MS, None)


def test_what_he_writes_while_he_is_kept_out_counts_once_he_is_let_in() -> None:
    chat = held()
    before_ms = chat.conversation.last_at_ms
    chat.conversation.blocked = True
    chat.log.wait(seconds=60)
    chat.customer("alo")
    assert chat.conversation.last_at_ms == before_ms
    assert chat.conversation.interacted_at_ms == before_ms + 60_000
    chat.conversation.blocked = False
    chat.log.wait(seconds=60)
    chat.customer("alo")
    assert chat.conversation.interacted_at_ms == before_ms + 60_000 < chat.conversation.last_at_ms


def test_older_messages_of_a_customer_count_from_when_they_were_written() -> None:
    chat = Chat()
    written_ms = chat.log.now_ms - HOUR_MS
    chat.apply(chat.log.say(USER, "old", history=True, sent_at_ms=written_ms))
    assert (chat.conversation.session, chat.conversation.interacted_at_ms) == (0, written_ms)
    chat.apply(chat.log.say(USER, "older", history=True, sent_at_ms=written_ms - HOUR_MS))
    assert chat.conversation.interacted_at_ms == written_ms
