"""A visitor of a website: he comes, writes, sends a picture, leaves and returns, as his browser has it."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Collection
from random import Random
from typing import Any

import httpx
import orjson
from websockets.exceptions import InvalidHandshake

from schemas.ids import conversation_key, page_id
from workers.local.simulator.ledger import Ledger, Sent
from workers.local.simulator.people import invent_name, invent_text
from workers.local.simulator.visitors.habits import Habits
from workers.local.simulator.visitors.ledger import VisitorLedger
from workers.local.simulator.visitors.picture import invent_picture
from workers.local.simulator.visitors.tab import LOST, NotTakenError, Place, Tab, Told, open_tab

CHANNEL = "web"
ATTEMPTS_MAX = 20
RETRY_S = 0.5


class Visitor:
    """Somebody whom only his token makes known again.

    Args:
        client: sends his files.
        name: part of the ids of what he says.
    """

    def __init__(
        self,
        place: Place,
        client: httpx.AsyncClient,
        habits: Habits,
        ledgers: tuple[Ledger, VisitorLedger],
        random: Random,
        name: str,
    ) -> None:
        self._place = place
        self._client = client
        self._habits = habits
        self._ledger, self._visits = ledgers
        self._random = random
        self._name = name
        self._calls_himself = invent_name(random)
        self._tab: Tab | None = None
        self._token: str | None = None
        self._shown: list[int] = []
        """Positions of what his widget shows."""
        self._quick_replies: list[str] = []
        self._takes_files = False
        self._said = 0

    @property
    def is_here(self) -> bool:
        """Whether he is on the website."""
        return self._tab is not None

    async def speak(self) -> None:
        """Say the next thing, until it is taken."""
        said: dict[str, Any] | None = None
        for _ in range(ATTEMPTS_MAX):
            try:
                tab = await self.come()
                said = said or await self._something(tab)
                await self._say(tab, said)
            except NotTakenError as error:
                self._ledger.retries += 1
                await asyncio.sleep(error.retry_after_s or RETRY_S)
            except (*LOST, InvalidHandshake, httpx.TransportError):
                self._ledger.retries += 1
                await self.leave()
                await asyncio.sleep(RETRY_S)
            else:
                self._ledger.accepted[self._page].append(self._sent(said["id"]))
                return
        self._ledger.given_up += 1

    async def come(self) -> Tab:
        """Be there: somebody new, or with the token that he was given. Raises LOST, InvalidHandshake."""
        if self._tab is not None and self._tab.is_open:
            return self._tab
        await self.leave()
        after = self._shown[-1] if self._shown else 0
        start = {"token": self._token, "after": after, "where": self._where()}
        self._tab, started = await open_tab(self._place, start, self._hear)
        self._visits.online += 1
        self._token = started["token"]
        self._visits.conversations.add(self._sent("").conversation)
        self._quick_replies = started["quick_replies"]
        self._takes_files = started["file_bytes_max"] is not None
        self._show(started["messages"])
        return self._tab

    async def leave(self) -> None:
        """Close the tab, if there is one."""
        tab, self._tab = self._tab, None
        if tab is not None:
            self._visits.online -= 1
            await tab.close()

    async def unshown(self) -> int:
        """How many of the newest messages a fresh tab shows, and his own does not, or the other way round.

        Raises LOST, InvalidHandshake.
        """
        fresh, started = await open_tab(self._place, {"token": self._token}, lambda _: None)
        await fresh.close()
        newest = [line["position"] for line in started["messages"]]
        own = [each for each in self._shown if newest and each >= newest[0]]
        return len(set(newest) ^ set(own))

    @property
    def has_spoken(self) -> bool:
        """Whether he has a transcript."""
        return self._said > 0

    @property
    def _page(self) -> str:
        return page_id(CHANNEL, self._place.site)

    def _sent(self, id_: str) -> Sent:
        payload = (self._token or "").split(".")[1]
        user = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
        return Sent(conversation_key(CHANNEL, self._place.site, user), f"{user}/{id_}")

    async def _something(self, tab: Tab) -> dict[str, Any]:
        """What he says next; from then on it counts as posted."""
        habits, random = self._habits, self._random
        if random.random() < habits.moves:
            await tab.do("move", where=self._where())
        if random.random() < habits.typing:
            await tab.do("typing")
        id_ = f"{self._name}-{self._said}"
        said: dict[str, Any] = {"id": id_, "at_ms": time.time_ns() // 1_000_000}
        if self._said == 0 and self._quick_replies and random.random() < habits.quick_reply:
            said |= {"what": "press", "title": random.choice(self._quick_replies)}
        elif self._takes_files and random.random() < habits.picture:
            said |= {"what": "say", "files": [await self._upload()]}
            self._visits.pictures += 1
        else:
            said |= {"what": "say", "text": invent_text(random, self._calls_himself, self._said)}
        self._said += 1
        self._ledger.posted[self._page].append(self._sent(id_))
        return said

    async def _say(self, tab: Tab, said: dict[str, Any]) -> None:
        """Raises NotTakenError, and LOST."""
        words = {name: value for name, value in said.items() if name not in {"id", "what"}}
        if self._random.random() < self._habits.lost:
            await tab.say(said["what"], said["id"], waits=False, **words)
            self._visits.cut += 1
            raise TimeoutError("the network has gone")
        await tab.say(said["what"], said["id"], **words)

    async def _upload(self) -> str:
        """Send a picture; its id. Raises NotTakenError, httpx.TransportError."""
        answer = await self._client.post(
            self._place.files_url,
            params={"name": "anh.png"},
            content=invent_picture(self._random),
            headers={"origin": self._place.origin, "authorization": f"Bearer {self._token}"},
        )
        if answer.status_code != httpx.codes.CREATED:
            raise NotTakenError(f"picture: {answer.status_code}", None)
        return str(answer.json()["file"])

    def _where(self) -> dict[str, str]:
        path, title = self._random.choice(self._place.pages)
        return {"url": f"{self._place.origin}{path}", "title": title}

    def _hear(self, said: Told) -> None:
        match said["event"]:
            case "messages":
                self._show(said["messages"])
            case "state" if said["state"] in {"sent", "delivered"}:
                self._look(said["message"], said["state"])

    def _show(self, lines: Collection[Told]) -> None:
        for line in lines:
            if self._shown and line["position"] <= self._shown[-1]:
                self._visits.misshown += 1
            else:
                self._shown.append(line["position"])

    def _look(self, message: str, state: str) -> None:
        """Let it be known that an answer is there, then perhaps that it is read."""
        if self._tab is None:
            return
        if state == "sent":
            self._tab.tell("delivered", message)
        elif self._random.random() < self._habits.looks:
            self._tab.tell("read", message)
