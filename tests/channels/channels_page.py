"""The tables of docs/channels.md: each event is taken in, and what comes of it is written down.

`python -m tests.channels.channels_page` writes them anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import httpx
import orjson

from config.ingress import FchatBot
from config.settings import Settings
from schemas.envelope import read_kind
from schemas.ids import message_id_text
from schemas.inbound import InboundRecord, Profile
from schemas.receipts import Arrival
from tests.channels import event_kinds
from tests.channels.event_kinds import OURS, USER, Sample
from tests.intake import in_memory
from tests.intake.in_memory import Intake, KnownPages
from tests.intake.log import WORKSPACE, Log, published
from workers.channels.channel import Item, Skipped
from workers.channels.fchat import FchatCaller
from workers.channels.messenger import Messenger, Opened
from workers.channels.reading.place import Place as Reading
from workers.channels.reading.place import Thread
from workers.channels.reading.reader import Access, Found
from workers.channels.reading.readers import open_readers
from workers.channels.records import Webhook, outgoing
from workers.channels.zalo import Zalo
from workers.routing.intake.given import Given
from workers.routing.intake.marks import Place
from workers.routing.intake.marks import Said as Mark
from workers.routing.intake.own import Own
from workers.routing.intake.pages import SILENT, Owner, Owners

PAGE = Path(__file__).parents[2] / "docs" / "channels.md"
SAMPLES = {
    "messenger": event_kinds.messenger,
    "zalo": event_kinds.zalo,
    "fchat": event_kinds.fchat,
    "reading": event_kinds.reading,
}
HEAD = "| event | record | transcript | asked of the desk | told, kept beside |\n|---|---|---|---|---|\n"
NOTHING = "–"
_KNOWN = ("channel_name", "tags", "suggested_phone", "verified_phone", "picture", "follows", "referral")
_CALL = {"account": event_kinds.BOT, "id": "1", "names": {}}
BOT = FchatBot.model_validate({"account": event_kinds.BOT, "path_token": "t" * 32})


@dataclass
class PageOf(KnownPages):
    """The page of a sample is a workspace's."""

    page: str = ""

    @property
    def owners(self) -> Owners:
        return {self.page: Owner(WORKSPACE, "main", SILENT)}


class Became(NamedTuple):
    """What comes of an event."""

    record: str
    transcript: str = NOTHING
    desk: str = NOTHING
    beside: str = NOTHING


def items(sample: Sample) -> list[Item]:
    """What the ingress makes of it."""
    if sample.place in {"profile", "history"}:
        return asyncio.run(_read(sample))
    if sample.place == "fchat":
        return list(FchatCaller(BOT).items({**_CALL, "said": sample.event}))
    if sample.place == "zalo":
        return list(Zalo([]).items(sample.event))
    entry = {"id": event_kinds.PAGE, sample.place: [sample.event]}
    return list(Messenger([]).items(Opened({"object": "page", "entry": [entry]})))


async def _read(sample: Sample) -> list[Item]:
    """What a reader makes of an answer."""
    content = httpx.ByteStream(orjson.dumps(sample.event))
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=content))
    async with httpx.AsyncClient(transport=transport) as client:
        reader = open_readers(client, Settings())[sample.channel]
        access = Access(sample.page.partition(":")[2], "token", None)
        if sample.place == "profile":
            found = await reader.profile(access, USER)
            return [found] if isinstance(found, Profile) else []
        place = Reading(0, 2**53, USER, threads=(Thread("t_1", USER, "Lan Nguyen"),))
        older = await reader.history(access, place)
        return list(older.records) if isinstance(older, Found) else []


def became(sample: Sample) -> Became:
    """What comes of it where a customer has written before, and his session has ended."""
    found = items(sample)
    records = [each for each in found if isinstance(each, InboundRecord)]
    if not records:
        (item,) = found
        assert isinstance(item, Skipped), item
        return Became("none: counted")
    if isinstance(records[0], Arrival):
        state = records[0].state
        return Became("receipts: `arrival`", beside=f"the answer is `{state}`")
    names = ", ".join(f"`{type(each).__name__.lower()}`" for each in records)
    return _of_intake(f"inbound: {names}", sample, records)


def _of_intake(names: str, sample: Sample, records: list[InboundRecord]) -> Became:
    log, intake, key = Log(), Intake(pages=PageOf(page=sample.page)), records[0].key
    _begin(log, intake, sample, key)
    before = len(intake.stored), len(intake.commands), len(intake.told)
    for each in records:
        record = outgoing(Webhook(each.channel, b"", 0), each)
        log.append(read_kind(record.headers, "inbound"), key, record.value)
    with patch.object(in_memory, "Given", partial(Given, own=_own(sample))):
        batch = intake.apply(log.take())
    assert not batch.rejected
    lines = [f"{line['sender']}: {_words(line)}" for line in intake.stored[before[0] :]]
    desk = [f"`{what}`" for what, _ in intake.commands[before[1] :]]
    # That who opens another session is back, is said below the tables.
    told = [(what, value) for what, value in intake.told[before[2] :] if what != "returned"]
    beside = [_told(what, value) for what, value in told]
    beside += ["the answer is sent: `echoed`" for what, _ in published(batch, "outbound") if what == "echoed"]
    return Became(names, *(", ".join(dict.fromkeys(each)) or NOTHING for each in (lines, desk, beside)))


def _begin(log: Log, intake: Intake, sample: Sample, key: str) -> None:
    """A customer has written, and his session is over; one of his messages has a reaction."""
    log.say(USER, "m_0", page=sample.page)
    intake.apply(log.take())
    conversation = intake.conversations.get((WORKSPACE, key.encode()))
    assert conversation is not None
    conversation.session_open = conversation.route_unanswered = False
    place = Place(WORKSPACE, conversation.id, "m_marked", "customer_reaction")
    intake.marks[place] = Mark("❤️", 0)


def _own(sample: Sample) -> dict[str, Own]:
    """What find_own tells of the echo that has our mark."""
    if OURS not in str(sample.event):
        return {}
    (item,) = items(sample)
    assert isinstance(item, InboundRecord)
    return {message_id_text(item.page, "m_2"): Own(OURS, 0, known=False)}


def _words(line: dict[str, Any]) -> str:
    types = ", ".join(dict.fromkeys(each["type"] for each in line["attachments"]))
    return types or str(line["kind"])


def _told(what: str, value: dict[str, Any]) -> str:
    if what == "marked":
        return f"`marked`: {value['mark']}" + (" taken back" if value["value"] is None else "")
    known = {**value["profile"], **{name: value.get(name) for name in _KNOWN}}
    return f"`{what}`: {', '.join(name for name, known_ in known.items() if known_ not in (None, [], ()))}"


def rows(samples: Iterable[Sample]) -> Iterator[str]:
    """Table rows; events of which the same comes, and that are called the same, share one."""
    shared: dict[tuple[str, Became], list[str]] = {}
    for sample in samples:
        shared.setdefault((sample.name, became(sample)), []).extend(sample.kinds)
    for (name, what), kinds in shared.items():
        called = ", ".join(f"`{kind}`" for kind in kinds)
        yield f"| {name}{f' ({called})' if called else ''} | {' | '.join(what)} |\n"


def page() -> str:
    """The whole page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    for channel, samples in SAMPLES.items():
        table = HEAD + "".join(rows(samples()))
        before, begin, rest = text.partition(f"<!-- {channel} -->\n")
        _, end, after = rest.partition(f"<!-- /{channel} -->")
        text = before + begin + table + end + after
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
