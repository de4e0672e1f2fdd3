"""The second half of docs/channels.md: each message is given to played platforms, and what comes of it told.

`python -m tests.channels.outbound_page` writes the tables anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from schemas.base import Channel
from schemas.messages import MessageAttachment
from tests.channels.channels_page import NOTHING, PAGE
from tests.channels.played import Given, Played, playing
from tests.channels.sent_kinds import ADDRESS, sends
from workers.channels.delivery import messenger_errors, zalo_errors
from workers.channels.delivery.claims import UNLIMITED_PER_S, app_rate_per_s, page_rate_per_s
from workers.channels.delivery.parts import Part
from workers.channels.delivery.progress import Calm, Expired, Paused, Standing, Step, Troubled, after, settle
from workers.channels.delivery.result import Failed, NotBegun, Result, Taken, Unanswered
from workers.channels.delivery.sender import Enclosed
from workers.channels.delivery.window import DAY_S, HOUR_S, terms
from workers.local.simulator.platform.account import Said

CHANNELS: tuple[Channel, ...] = ("messenger", "zalo", "fchat")
TITLES = {"messenger": "Messenger", "zalo": "Zalo", "fchat": "FChat"}


async def sends_table() -> str:
    """What each platform is given."""
    rows = [["message", *(TITLES[channel] for channel in CHANNELS)]]
    for sent in sends():
        rows.append([sent.name])
        for channel in CHANNELS:
            async with playing(channel) as played:
                enclosed = {} if sent.enclosed is None else {0: sent.enclosed}
                given = await played.give(sent.content, enclosed, splits=sent.splits, **sent.terms)
            rows[-1].append(_given(given))
    return _table(rows)


def _given(given: Given) -> str:
    if isinstance(given.stopped, str):
        return f"no call: `{given.stopped}`"
    assert given.stopped is None, given.stopped
    kinds = [_said(each) for each in given.said]
    return kinds[0] if len(kinds) == 1 else f"{len(kinds)} parts, each {kinds[0]}"


def _said(said: Said) -> str:
    more = [f"asks `{each}`" for each in said.asks]
    more += ["quotes it"] if said.reply_to else []
    return ", ".join([said.attachment or "text", *more])


FAULTS: dict[Channel, Callable[[], Iterable[tuple[str, dict[str, Any]]]]] = {
    "messenger": lambda: (
        (
            _code(code, subcode),
            {"code": code, "message": "", **({} if subcode is None else {"error_subcode": subcode})},
        )
        for code, subcode in (*messenger_errors.KNOWN, (987654, None))
    ),
    "zalo": lambda: ((str(code), {"error": code, "message": ""}) for code in (*zalo_errors.KNOWN, -987654)),
    "fchat": lambda: ((str(code), {"code": code}) for code in (400, 401, 403, 404, 429, 500, 503)),
}
UNKNOWN = {"987654": "any other", "-987654": "any other", "400": "any other"}
LOST = "no answer in time, or one that is not the platform's, as a proxy's 502"


def _code(code: int, subcode: int | None) -> str:
    return str(code) if subcode is None else f"{code}/{subcode}"


class Became(NamedTuple):
    """What comes of an error."""

    means: str
    reason: str
    message: str
    page: str


async def errors_table(channel: Channel) -> str:
    """What comes of each error of one channel."""
    shared: dict[Became, list[str]] = {}
    async with playing(channel) as played:
        for called, fault in FAULTS[channel]():
            result = await played.fails(fault)
            shared.setdefault(became(played, result), []).append(UNKNOWN.get(called, called))
        result = await played.send(Part(0, "Dạ"), token="another")
        shared.setdefault(became(played, result), []).append("a token that the platform does not know")
        result = await played.fails("lose")
        shared.setdefault(became(played, result), []).append(LOST)
    async with playing(channel, timeout_s=0.1) as hanging:
        assert became(hanging, await hanging.fails("hang")) == became(hanging, result)
    rows = [["error", "class", "reason", "the message", "the page"]]
    rows += [[", ".join(codes), *what] for what, codes in shared.items()]
    return _table(rows)


def became(played: Played, result: Result) -> Became:
    """What follows, for a message of one part at its first attempt."""
    assert not isinstance(result, NotBegun), "a played platform always has a connection free"
    settings, was = played.settings, Standing((), 1)
    step, page = after(result, was, settings, 0.5)
    if isinstance(result, Unanswered):
        assert settle(was, settings) == Step("unknown", (), "no_answer")
        said = "waits for its echo, then stays unknown (or goes once more)"
        return Became(NOTHING, f"`{step.reason}`", said, _page(played.channel, page))
    assert isinstance(result, Failed), result
    if step.state == "queued" and result.means == "again":
        last = after(result, Standing((), 1, settings.attempts_max - 1), settings, 0.5)[0]
        assert last.state == "failed"
        message = f"tried again; failed after {settings.attempts_max} times"
    else:
        message = {"queued": "waits", "failed": "failed"}[step.state]
    return Became(result.means.replace("_", " "), f"`{result.reason}`", message, _page(played.channel, page))


def _page(channel: Channel, step: object) -> str:
    match step:
        case Calm():
            return "goes on"
        case Troubled(of_app=of_app):
            return "left alone for a while" + (", and all others of its app" if of_app else "")
        case Paused(seconds=seconds):
            return f"paused, its admins are alerted, tried every {seconds:g} s"
        case Expired():
            paused = "paused, its admins are alerted"
            return f"its token is exchanged, or it is {paused}" if channel == "zalo" else paused
    raise AssertionError(step)


STRETCHES = (
    ("up to 24 hours", (1.0, DAY_S - 60)),
    ("up to 48 hours", (DAY_S + 60, 2 * DAY_S - 60)),
    ("up to 7 days", (2 * DAY_S + 60, 7 * DAY_S - HOUR_S)),
    ("later, or never", (7 * DAY_S + 60, 30 * DAY_S, None)),
)
WHO: dict[str, tuple[Channel, dict[str, bool]]] = {
    "Messenger": ("messenger", {}),
    "Messenger, HUMAN_AGENT, a person": ("messenger", {"by_person": True, "human_agent": True}),
    "Messenger, HUMAN_AGENT, a bot": ("messenger", {"human_agent": True}),
    "Zalo": ("zalo", {}),
    "Zalo, the page pays": ("zalo", {"pays": True}),
    "FChat": ("fchat", {"by_person": True, "human_agent": True}),
    "website": ("web", {}),
}


async def windows_table() -> str:
    """When each channel is still written to; what is sent the played platform takes."""
    rows = [["since he wrote", *WHO]]
    for name, moments in STRETCHES:
        rows.append([name])
        for channel, of_page in WHO.values():
            found = {await _term(channel, silent_s, of_page) for silent_s in moments}
            assert len(found) == 1, (name, channel, found)
            rows[-1].append(found.pop())
    return _table(rows)


async def _term(channel: Channel, silent_s: float | None, of_page: dict[str, bool]) -> str:
    given = {"by_person": False, "human_agent": False, "pays": False} | of_page
    now = terms(channel, silent_s, **given)
    if now.reason is not None:
        return f"`{now.reason}`"
    if channel in CHANNELS:
        assert silent_s is not None
        async with playing(channel, silent_s) as played:
            result = await played.send(Part(0, "Dạ"), tag=now.tag)
        assert isinstance(result, Taken), result
    return "sent" if now.tag is None else f"sent, tag {now.tag}"


async def limits_table() -> str:
    """How much at once."""
    rows = [["limit", *(TITLES[channel] for channel in CHANNELS)]]
    rows += [
        ["characters of one text"],
        ["calls a second for each page"],
        ["of all pages of an app"],
        ["a sound or a film counts"],
    ]
    for channel in CHANNELS:
        async with playing(channel) as played:
            heavy = MessageAttachment(type="audio", url=ADDRESS)
            takes_sound = played.sender.refusal(Enclosed(heavy)) is None
            rates = (rate(f"{channel}:1", played.settings) for rate in (page_rate_per_s, app_rate_per_s))
            cells = (
                f"{played.sender.text_max:,}",
                *(NOTHING if rate == UNLIMITED_PER_S else f"{rate:.4g}" for rate in rates),
                f"{Part(0, attachment=heavy).cost:g}" if takes_sound else NOTHING,
            )
        for row, cell in zip(rows[1:], cells, strict=True):
            row.append(cell)
    return _table(rows)


def _table(rows: list[list[str]]) -> str:
    head, *rest = (f"| {' | '.join(row)} |\n" for row in rows)
    return "".join((head, "|" + "---|" * len(rows[0]) + "\n", *rest))


async def tables() -> dict[str, str]:
    """By the marks between which they stand."""
    found = {"sends": await sends_table(), "windows": await windows_table(), "limits": await limits_table()}
    return found | {f"errors of {channel}": await errors_table(channel) for channel in CHANNELS}


def page(text: str) -> str:
    """The page with its outbound tables as they should be."""
    for name, table in asyncio.run(tables()).items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, behind = rest.partition(f"<!-- /{name} -->")
        assert end, f"no place for the table of {name}"
        text = before + begin + table + end + behind
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
