"""A customer's return is told to who follows him and has not muted him, once, by a notice of its own."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson

from schemas.envelope import Kind, headers
from schemas.messages import Returned
from schemas.notifications import ReturnedNotice
from tests.notifier.history import WORKSPACE
from workers.notifier.conversation import Back, Conversation, RecipientSet
from workers.notifier.notices import issue
from workers.notifier.reading import read_record
from workers.notifier.recipients import greet
from workers.runtime.batch import Record

KEY = "web:shop:a.one"
CONVERSATION = UUID(int=5)


def returned(seq: int) -> Returned:
    return Returned(
        workspace=WORKSPACE,
        desk="main",
        conversation=CONVERSATION,
        key=KEY,
        page="web:shop",
        session=2,
        at=datetime(2026, 11, 22, 8, tzinfo=UTC),
        seq=seq,
        epoch=1,
    )


def followed(*sets: tuple[str, ...]) -> Conversation:
    """Who was to be told after each event of its chain."""
    numbered = (RecipientSet(seq, 1, None, 0, agents) for seq, agents in enumerate(sets, start=1))
    return Conversation(WORKSPACE, CONVERSATION, 0, page="web:shop", seq=len(sets), sets=deque(numbered))


def test_followers_at_the_number_that_it_names_are_told() -> None:
    conversation = followed(("an",), ("an", "binh"), ())
    told = greet(conversation, Back(UUID(int=1), returned(2)))
    assert [(one.what, one.agent, one.seq) for one in told] == [
        ("returned", "an", 2),
        ("returned", "binh", 2),
    ]
    assert greet(conversation, Back(UUID(int=1), returned(3))) == [], "nobody follows him, or he is kept out"
    assert greet(followed(), Back(UUID(int=1), returned(0))) == []


def test_who_is_ahead_of_the_chain_tells_those_whom_the_chain_has_named_so_far() -> None:
    (told,) = greet(followed(("an",)), Back(UUID(int=1), returned(9)))
    assert (told.agent, told.seq) == ("an", 1)


def test_the_notice_is_as_the_contract_says_and_kept_for_its_agent() -> None:
    (told,) = greet(followed(("an",)), Back(UUID(int=1), returned(1)))
    issued = issue(told)
    notice = ReturnedNotice.model_validate_json(issued.value)
    assert (notice.agent, notice.session, notice.channel, issued.key) == ("an", 2, "web", b"agent:acme/an")
    assert issued.row is not None
    assert (issued.row.kind, issued.row.position) == ("returned", 0)
    assert issue(told).value == issued.value, "the same whenever it is told"


def test_it_is_read_from_messages() -> None:
    named = headers(
        Kind("messages", "returned"), id_=uuid4(), source="t", subject=KEY, time="2026-11-22T08:00:00.000Z"
    )
    value = orjson.dumps(returned(1).model_dump(mode="json"))
    read = read_record(Record("messages", 0, 1, 1_000, KEY.encode(), value, named))
    assert read is not None
    assert isinstance(read[0], Back)
