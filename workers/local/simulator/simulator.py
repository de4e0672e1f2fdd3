"""The simulator: messages at a rate, from many customers of several pages, over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from random import Random

import httpx

from config.ingress import IngressSettings
from schemas.ids import channel_of
from workers.local.simulator.crowd import Crowd
from workers.local.simulator.customer import Customer
from workers.local.simulator.delivery import RETRY_DELAYS_S, Delivery
from workers.local.simulator.fchat_play import FchatPlay
from workers.local.simulator.ledger import Ledger
from workers.local.simulator.messenger_play import MessengerPlay
from workers.local.simulator.mix import Mix
from workers.local.simulator.play import Play
from workers.local.simulator.scenes import Scene, Scenes
from workers.local.simulator.turns import Turns
from workers.local.simulator.zalo_play import ZaloPlay

LATE_DUPLICATE_MAX_S = 2.0
"""A platform that has not seen an answer may post again this much later."""


class Simulator:
    """Plays the platforms for some pages; `ledger` grows while it runs.

    Args:
        base_url: of the ingress, e.g. `http://127.0.0.1:8080`.
        apps: whose first app of each channel signs.
        pages: `channel:account` of each; Messenger, Zalo and FChat, not FChat alone.
        rate_per_s: messages a second on average.
        seed: of names, texts and chances; with the same run it invents the same people.
        run: part of every message's id, so that two runs never share one; by default the time.
        mix: how often what happens.
        concurrency: webhooks under way at once.
        retry_delays_s: seconds before each further attempt at a webhook that was not taken.
        transport: how requests travel; by default over the network.
        heard: told of each customer who is about to write.

    Raises ValueError when a page's channel has no app.
    """

    def __init__(
        self,
        base_url: str,
        apps: IngressSettings,
        pages: Sequence[str],
        *,
        rate_per_s: float = 50.0,
        seed: int = 1,
        run: str | None = None,
        mix: Mix | None = None,
        concurrency: int = 64,
        retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
        transport: httpx.AsyncBaseTransport | None = None,
        heard: Callable[[Customer], None] | None = None,
    ) -> None:
        self.ledger = Ledger()
        run = run or f"{time.time_ns():x}"
        self._random = Random(f"{seed}/{run}")  # noqa: S311 - no secret
        plays = _plays(apps, pages, self._random)
        self._crowd = Crowd(pages, plays, self._random)
        self._scenes = Scenes(self._crowd, plays, mix or Mix(), run, self._random)
        self._base_url = base_url
        self._rate_per_s = rate_per_s
        self._concurrency = concurrency
        self._retry_delays_s = retry_delays_s
        self._transport = transport
        self._heard = heard
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let nobody write any more; `run` returns once what is under way is settled."""
        self._stopping.set()

    async def run(self, *, seconds: float | None = None, messages: int | None = None) -> Ledger:
        """Post for some seconds, or until so many messages were posted, or until `stop`.

        A webhook that is not taken is posted again for a while, also after `stop`: whoever cannot wait for
        that cancels; the ledger holds what was taken until then.
        """
        limits = httpx.Limits(max_connections=self._concurrency, max_keepalive_connections=self._concurrency)
        async with httpx.AsyncClient(
            base_url=self._base_url, limits=limits, transport=self._transport, trust_env=False
        ) as client:
            delivery = Delivery(client, self.ledger, self._concurrency, self._retry_delays_s)
            async with asyncio.TaskGroup() as group:
                await self._write(Turns(group, self._concurrency), delivery, seconds, messages)
        return self.ledger

    async def _write(
        self, turns: Turns, delivery: Delivery, seconds: float | None, messages: int | None
    ) -> None:
        """Have customers write at random moments, `rate_per_s` on average."""
        moment_s = time.monotonic()
        ends_s = None if seconds is None else moment_s + seconds
        while messages is None or self.ledger.count_posted() < messages:
            # Who falls behind by more than a second does not catch up: the ingress is slower than the rate.
            moment_s = max(moment_s + self._random.expovariate(self._rate_per_s), time.monotonic() - 1)
            if not await self._wait_until(moment_s, ends_s):
                return
            for scene in self._scenes.next():
                if scene.webhook.kind == "message":
                    self.ledger.posted[scene.webhook.page].extend(scene.webhook.sent)
                await turns.begin(self._turn(turns, delivery, scene))

    async def _wait_until(self, moment_s: float, ends_s: float | None) -> bool:
        """Wait; False when the end, or `stop`, comes before."""
        last_s = moment_s if ends_s is None else min(moment_s, ends_s)
        try:
            async with asyncio.timeout(max(0.0, last_s - time.monotonic())):
                await self._stopping.wait()
        except TimeoutError:
            return last_s == moment_s
        return False

    async def _turn(self, turns: Turns, delivery: Delivery, scene: Scene) -> None:
        """Deliver; only then the customer may write again."""
        if self._heard is not None:
            self._heard(scene.customer)
        if not await delivery.deliver(scene.webhook, scene.play.timeout_s):
            return
        webhook = scene.webhook
        if webhook.kind != "message":
            self.ledger.odd[webhook.kind].extend(webhook.sent)
        else:
            self.ledger.accepted[webhook.page].extend(webhook.sent)
            if self._scenes.happens("duplicate"):
                turns.begin_late(self._duplicate(delivery, scene))
        if webhook.kind != "unknown_page":
            self._crowd.back(scene.customer)

    async def _duplicate(self, delivery: Delivery, scene: Scene) -> None:
        """Post again what was taken: at once, or when the customer has gone on."""
        await asyncio.sleep(self._random.choice((0.0, self._random.uniform(0.0, LATE_DUPLICATE_MAX_S))))
        if await delivery.deliver(scene.webhook, scene.play.timeout_s):
            self.ledger.duplicates_posted += len(scene.webhook.sent)


def _plays(apps: IngressSettings, pages: Sequence[str], random: Random) -> dict[str, Play]:
    """The platforms of these pages."""
    plays: dict[str, Play] = {}
    if apps.messenger_apps:
        plays["messenger"] = MessengerPlay(apps.messenger_apps[0], random)
    if apps.zalo_apps:
        plays["zalo"] = ZaloPlay(apps.zalo_apps[0], random)
    if apps.fchat_bots:
        plays["fchat"] = FchatPlay(apps.fchat_bots, random)
    for page in pages:
        if channel_of(page) not in plays:
            raise ValueError(f"page {page}: no app of its channel is configured to sign its webhooks")
    if not pages:
        raise ValueError("there must be at least one page to write to")
    return plays
