"""FChat's way out: each answer of its API over HTTP, and what follows from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from config.delivery import DeliverySettings
from schemas.ids import conversation_id
from schemas.messages import MessageAttachment
from schemas.outbound import Send
from tests.delivery.ground import ONE, Ground, ground
from workers.channels.delivery.fchat_sender import FchatSender, failure_of
from workers.channels.delivery.marker import marker
from workers.channels.delivery.parts import Part
from workers.channels.delivery.result import Failed, Result, Taken, Unanswered
from workers.channels.delivery.sender import Call, Enclosed
from workers.channels.delivery.window import DAY_S, terms
from workers.local.simulator.platform.account import Account
from workers.local.simulator.platform.fchat_platform import FchatPlatform
from workers.local.simulator.platform.serving import serving

MESSAGE = UUID(int=7)
PAGE = "fchat:hoa-sen"
IMAGE = MessageAttachment(type="image", url="https://cdn.example/a.jpg")


class Bot:
    """One bot on its platform, and a sender for it."""

    def __init__(self, client: httpx.AsyncClient, account: Account) -> None:
        self.account = account
        self._sender = FchatSender(client, DeliverySettings(fchat_url="http://fchat", request_timeout_s=0.2))

    async def say(self, part: Part, user: str = "an", token: str = "token") -> Result:
        """Give it to FChat."""
        enclosed = None if part.attachment is None else Enclosed(part.attachment)
        call = Call("hoa-sen", token, None, user, MESSAGE, part, enclosed=enclosed)
        return await self._sender.send(call)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    account = Account("hoa-sen", "token")
    account.heard("an")
    transport = httpx.ASGITransport(FchatPlatform([account]).asgi)
    async with httpx.AsyncClient(transport=transport) as client:
        yield Bot(client, account)


async def test_texts_and_pictures_are_taken_under_ids_of_our_own(bot: Bot) -> None:
    assert await bot.say(Part(0, "Dạ còn ạ")) == Taken(marker(MESSAGE, 0))
    assert await bot.say(Part(1, attachment=IMAGE)) == Taken(marker(MESSAGE, 1))
    assert [(each.user, each.text, each.attachment) for each in bot.account.said] == [
        ("an", "Dạ còn ạ", None),
        ("an", None, "image"),
    ]


async def test_what_fchat_does_not_take_says_why(bot: Bot) -> None:
    wrong = [
        await bot.say(Part(0, "x"), token="another"),
        await bot.say(Part(0, "x"), user="nobody"),
        await bot.say(Part(0, "x" * 2_000)),
        await bot.say(Part(0, "")),
    ]
    bot.account.rate_per_s = 0
    wrong.append(await bot.say(Part(0, "x")))
    assert [each[:2] for each in wrong if isinstance(each, Failed)] == [
        ("token", "token_broken"),
        ("refused", "unreachable"),
        ("refused", "rejected"),
        ("refused", "rejected"),
        ("slow_down", "rate_limited"),
    ]
    assert bot.account.said == []


async def test_an_answer_that_is_not_fchats_leaves_it_unknown(bot: Bot) -> None:
    bot.account.faults += ["lose", "hang"]
    assert isinstance(await bot.say(Part(0, "một")), Unanswered)
    assert isinstance(await bot.say(Part(0, "hai")), Unanswered)
    assert bot.account.texts("an") == ["một", "hai"], "it has them all the same"


@pytest.mark.parametrize(
    ("code", "means"),
    [(400, "refused"), (401, "token"), (403, "token"), (404, "refused"), (429, "slow_down"), (500, "again")],
)
def test_codes_mean_what_they_do_in_http(code: int, means: str) -> None:
    assert failure_of(code).means == means


def test_its_window_is_messengers_without_a_tag() -> None:
    late = {"by_person": True, "human_agent": True, "pays": True}
    assert terms("fchat", DAY_S, **late) == terms("messenger", DAY_S, **late)
    assert terms("fchat", DAY_S + 1, **late).reason == "window_closed"
    assert terms("fchat", None, **late).reason == "window_closed"


@pytest.mark.servers
async def test_answers_go_out_in_order_and_a_token_that_is_not_taken_pauses_the_page(database: str) -> None:
    account = Account("hoa-sen", "token")
    account.heard("an")
    async with (
        serving(FchatPlatform([account]).asgi) as url,
        ground(database, fchat_url=url) as field,
    ):
        registered = "INSERT INTO page_registry (page_id, workspace_id, desk_id) VALUES ($1, 'acme', 'main')"
        await field.database.execute(registered, PAGE)
        await field.connect(PAGE, account)
        sent = [_send(field, text) for text in ("một", "hai")]
        await field.handle(*sent)
        async with field.delivering():
            rows = [await field.until(send.message, "sent") for send in sent]
            assert account.texts("an") == ["một", "hai"]
            assert [list(row["ids"]) for row in rows] == [[marker(send.message, 0)] for send in sent]
            account.token = "another since yesterday"
            late = _send(field, "ba")
            await field.handle(late)
            await field.until(late.message, "queued", "token_broken")
            assert (await field.page(PAGE))["paused"] == "token_broken"


def _send(field: Ground, text: str) -> Send:
    key = f"{PAGE}:an"
    of_page = {"page": PAGE, "key": key, "channel": "fchat", "conversation": conversation_id(key)}
    return field.send(ONE, "an", text).model_copy(update=of_page)
