"""What can be sent at once is, and whatever way it goes, it arrives in the order in which it was said."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from workers.channels.closing import Closing
from workers.gateway.connection import GONE, SLOW, Connection
from workers.gateway.identity import Identity

LAN = Identity("shop", "agent", "lan")


class Client:
    """Takes what is pushed while it has room; the others wait until the one who sends them comes round."""

    def __init__(self, bytes_max: int = 1_000_000) -> None:
        self.got: list[str] = []
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.pushed = 0
        self.cuts: list[Closing] = []
        self.connection = Connection(LAN, "", None, bytes_max, self.cuts.append, self.push)

    def push(self, text: str) -> bool:
        if self.has_room.is_set():
            self.got.append(text)
            self.pushed += 1
        return self.has_room.is_set()

    async def send(self) -> None:
        """As the socket does: one after the other, each when there is room."""
        while (text := await self.connection.next()) is not None:
            await self.has_room.wait()
            self.got.append(text)


@given(st.lists(st.sampled_from(["say", "full", "room", "turn"]), max_size=60))
def test_everything_arrives_once_and_in_order(happens: list[str]) -> None:
    async def run() -> None:
        client, said = Client(), 0
        sending = asyncio.create_task(client.send())
        for what in happens:
            match what:
                case "say":
                    client.connection.send(str(said))
                    said += 1
                case "full":
                    client.has_room.clear()
                case "room":
                    client.has_room.set()
                case "turn":
                    await asyncio.sleep(0)
        client.has_room.set()
        while len(client.got) < said:
            await asyncio.sleep(0)
        client.connection.close(GONE)
        await sending
        assert client.got == [str(number) for number in range(said)]

    asyncio.run(run())


async def test_what_finds_nobody_waiting_before_it_goes_at_once() -> None:
    client = Client()
    sending = asyncio.create_task(client.send())
    await asyncio.sleep(0)

    client.connection.send("a")
    client.connection.send("b")

    assert (client.got, client.pushed, client.connection.waiting_bytes) == (["a", "b"], 2, 0)
    client.connection.close(GONE)
    await sending


async def test_a_client_that_takes_nothing_is_cut_off_all_the_same() -> None:
    client = Client(bytes_max=3)
    sending = asyncio.create_task(client.send())
    await asyncio.sleep(0)
    client.has_room.clear()

    for text in ("ab", "c", "d"):
        client.connection.send(text)

    assert client.cuts == [SLOW]
    sending.cancel()
