"""All older messages of a Zalo account are read, whatever the rows of its list of recent chats are."""

from __future__ import annotations

import httpx
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from config.delivery import DeliverySettings
from workers.channels.reading.place import Place
from workers.channels.reading.reader import Access, Found
from workers.channels.reading.zalo_reader import ZaloReader
from workers.local.simulator.platform.account import Account
from workers.local.simulator.platform.past import PastMessage
from workers.local.simulator.platform.zalo_past import ZaloPast

SINCE_MS, UNTIL_MS = 1_000, 9_000
USERS = [f"u{number}" for number in range(15)]
SETTINGS = DeliverySettings(zalo_url="https://zalo.example")
saids = st.lists(st.tuples(st.sampled_from(USERS), st.integers(1, 9_999), st.booleans()), max_size=80)


async def read(
    account: Account, user: str = "", settings: DeliverySettings = SETTINGS
) -> tuple[list[str], int]:
    """The ids of all that is found, and after how many calls."""
    app = Starlette(routes=ZaloPast({"token": account}).routes)
    place, found, calls = Place(SINCE_MS, UNTIL_MS, user), list[str](), 0
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        reader = ZaloReader(client, settings)
        while not place.is_end:
            answer = await reader.history(Access(account.id, "token", None), place)
            assert isinstance(answer, Found), answer
            found += [
                each.channel_message_id for each in answer.records if hasattr(each, "channel_message_id")
            ]
            place, calls = answer.place, calls + 1
    return found, calls


def account_of(said: list[tuple[str, int, bool]], *, lists_last: bool) -> Account:
    account = Account("300", "token")
    account.past.rate_per_s, account.past.lists_last = 1_000_000, lists_last
    account.past.messages = [
        PastMessage(f"m{number}", user, at_ms, "alo", is_ours)
        for number, (user, at_ms, is_ours) in enumerate(said)
    ]
    return account


@given(saids, st.booleans())
async def test_everything_is_found(said: list[tuple[str, int, bool]], lists_last: bool) -> None:
    account = account_of(said, lists_last=lists_last)
    wanted = {f"m{number}" for number, (_, at_ms, _) in enumerate(said) if SINCE_MS <= at_ms <= UNTIL_MS}
    assert set((await read(account))[0]) == wanted
    of_one = {f"m{number}" for number, (user, *_) in enumerate(said) if user == "u0"} & wanted
    assert set((await read(account, "u0"))[0]) == of_one


async def test_rows_that_are_messages_are_not_read_by_their_customers_again() -> None:
    said = [(USERS[number % 9], 8_999 - number, False) for number in range(75)]
    found, calls = await read(account_of(said, lists_last=False))
    assert (len(found), calls) == (75, 8)


async def test_of_each_conversation_only_so_many_messages_are_read() -> None:
    account = account_of([("u0", 8_000 - number, False) for number in range(50)], lists_last=True)
    few = SETTINGS.model_copy(update={"history_messages_max": 30})
    assert len((await read(account, "", few))[0]) == 30
