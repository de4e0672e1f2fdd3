"""An endpoint at work: what waits is sent, each partition in its order, and how far it came is stored."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from config.logging import get_logger
from config.webhooks import WebhooksSettings
from schemas.base import rfc3339
from schemas.envelope import TYPE_PREFIX, moment
from workers.webhooks import metrics
from workers.webhooks.batch import Batch
from workers.webhooks.catch_up import CatchUp
from workers.webhooks.clock import Clock
from workers.webhooks.endpoint import State
from workers.webhooks.event import Event, Place, event_body
from workers.webhooks.feed import Feed
from workers.webhooks.journal import Journal
from workers.webhooks.leases import Leased
from workers.webhooks.pauses import first, pause
from workers.webhooks.post import Lease, Post
from workers.webhooks.selection import wants
from workers.webhooks.sender import Sender
from workers.webhooks.signing import Keys
from workers.webhooks.store import Standing, Store
from workers.webhooks.track import Failing, Track
from workers.webhooks.verdict import Answer, GivenUp, Gone, Later, decide, is_of_the_whole

BECAME: dict[type, str] = {Later: "later", Gone: "gone", GivenUp: "given_up"}
TEST_TYPE = f"{TYPE_PREFIX}.webhooks.test.v1"

_log = get_logger(__name__)


class Tools(NamedTuple):
    """What all endpoints of a worker work with."""

    settings: WebhooksSettings
    feed: Feed
    catch_up: CatchUp
    sender: Sender
    keys: Keys
    store: Store
    clock: Clock


class Work:
    """Tells one endpoint.

    Args:
        leased: the endpoint.
        lease: until when; renewed from outside.
        places: where it begins.
        stuck: the partitions that were refused.
    """

    def __init__(
        self,
        leased: Leased,
        lease: Lease,
        places: Mapping[Place, int],
        stuck: Mapping[Place, Failing],
        tools: Tools,
    ) -> None:
        self._leased = leased
        self._tools = tools
        self._tracks = {
            place: Track(place, offset, failing=stuck.get(place, Failing()))
            for place, offset in places.items()
        }
        self._failing = Failing(leased.failures, leased.failing_since, leased.retry_at)
        self._size = 0
        self._room = asyncio.Semaphore(tools.settings.parallel_max)
        self._probing = asyncio.Lock()
        self._ended = asyncio.Event()
        self._post = Post(leased, lease, self._ended, tools.settings, tools.sender, tools.keys)
        self._journal = Journal(leased, tools.store, self._standing)
        self._delivered_at: datetime | None = None
        self._test = asyncio.Event()
        self._state: State | None = None
        self._why: str | None = None
        self._senders: asyncio.TaskGroup

    @property
    def workspace(self) -> str:
        """Whose events it wants."""
        return self._leased.name.workspace

    @property
    def size(self) -> int:
        """Bytes that wait in memory."""
        return self._size

    @property
    def is_failing(self) -> bool:
        """Whether there is a failure that is not over."""
        return bool(self._failing.failures) or any(one.failing.failures for one in self._tracks.values())

    @property
    def ended_why(self) -> str:
        """Why it has ended, once it has."""
        return {None: "asked", "disabled": "gone", "paused": "given_up"}.get(self._state, "asked")

    def end(self) -> None:
        """Begin nothing more; `run` returns when what is under way is over and stored."""
        self._ended.set()

    def test(self) -> None:
        """Send a test event."""
        self._test.set()

    async def run(self) -> None:
        """Tell it until it ends. Raises LeaseLostError (in a group) when it is not ours any more."""
        async with asyncio.TaskGroup() as stores:
            storing = stores.create_task(self._journal.keep())
            async with asyncio.TaskGroup() as self._senders:
                self._senders.create_task(self._send_tests())
                if self._leased.is_active:
                    await self._listen()
                else:
                    await self._ended.wait()
            storing.cancel()
        await self._journal.close()

    def take(self, batch: Batch) -> None:
        """Take what is wanted of a stretch of the log, as far as there is room."""
        track = self._tracks.get(batch.place)
        if track is None or self._ended.is_set():
            return
        events = [one for one in batch.events.get(self.workspace, ()) if wants(self._leased.events, one.kind)]
        room = self._tools.settings.buffer_bytes_max - self._size
        self._size += track.take(batch.first, batch.next_, events, room)
        if track.waiting and not track.is_draining:
            track.is_draining = True
            self._senders.create_task(self._drain(track))

    def gaps(self) -> dict[Place, int]:
        """Where it is behind the feed and has room: the offsets that it needs next."""
        if self._ended.is_set():
            return {}
        ends = self._tools.feed.ends
        return {
            place: track.read_to
            for place, track in self._tracks.items()
            if not track.waiting and track.read_to < ends.get(place, 0)
        }

    def skip(self, place: Place, begin: int) -> None:
        """Its next records are not kept any more: that is told among the attempts."""
        track = self._tracks[place]
        lost = begin - track.read_to
        _log.warning("webhook_records_expired", endpoint=self._leased.name, topic=place.topic, records=lost)
        why = f"{lost} records, of all workspaces, were not kept until it came to them"
        self._journal.note(
            Answer(None, why, None, 0), f"expired-{place.topic}-{place.partition}-{begin}", "expired", track
        )
        track.read_to = begin

    async def _listen(self) -> None:
        feed, catch_up = self._tools.feed, self._tools.catch_up
        feed.join(self)
        catch_up.want(self)
        try:
            await self._ended.wait()
        finally:
            self._ended.set()  # however it ends, nothing is taken from now on
            feed.leave(self)
            catch_up.forget(self)

    async def _drain(self, track: Track) -> None:
        """Send what waits of a partition, one after the other."""
        try:
            while track.waiting and not self._ended.is_set():
                await pause(self._ended, track.failing.wait_s(self._tools.clock.now()))
                async with self._room, self._gate():
                    await self._journal.room(self._ended)
                    if not self._ended.is_set():
                        await self._attempt(track)
        except BaseException:
            self._ended.set()  # before anybody hands over more
            raise
        track.is_draining = False
        if self.gaps():
            self._tools.catch_up.want(self)

    @asynccontextmanager
    async def _gate(self) -> AsyncIterator[None]:
        """While the endpoint fails as a whole, one attempt at a time, each after its wait."""
        if not self._failing.failures:
            yield
            return
        async with self._probing:
            await pause(self._ended, self._failing.wait_s(self._tools.clock.now()))
            yield

    async def _attempt(self, track: Track) -> None:
        event, seen = track.waiting[0], self._failing.failures
        answer = await self._post.send(event.id, event.body)
        if answer is None:
            return
        self._journal.note(answer, event.id, event.kind.ce_type, track)
        if answer.error is None:
            self._told(track, event)
        elif not is_of_the_whole(answer):
            self._failing.end()
            self._refused(answer, track.failing)
        elif self._failing.failures == seen:  # else those that were sent beside it have told of the same
            self._refused(answer, self._failing)
        self._journal.changed()

    def _told(self, track: Track, event: Event) -> None:
        track.told()
        self._size -= event.size
        self._failing.end()
        self._delivered_at = self._tools.clock.now()
        metrics.ATTEMPTS.labels("delivered").inc()
        metrics.DELAY_SECONDS.observe(max(0.0, time.time() - event.timestamp_ms / 1000))

    def _refused(self, answer: Answer, failing: Failing) -> None:
        settings, now = self._tools.settings, self._tools.clock.now()
        failing_s = failing.fail(now)
        verdict = decide(
            answer,
            failing.failures,
            failing_s,
            random.random(),  # noqa: S311 - spreads, hides nothing
            retry=settings.retry,
            give_up_s=settings.give_up_s,
        )
        metrics.ATTEMPTS.labels(BECAME[type(verdict)]).inc()
        failing.retry(now, verdict.wait_s if isinstance(verdict, Later) else 0.0)
        match verdict:
            case Gone():
                self._stop("disabled", "it answered 410 Gone")
            case GivenUp():
                self._stop(
                    "paused", f"nothing was taken since {rfc3339(failing.since or now)}: {answer.error}"
                )

    def _stop(self, state: State, why: str) -> None:
        _log.warning("webhook_stopped", endpoint=self._leased.name, state=state, why=why)
        self._state, self._why = state, why
        self._ended.set()

    async def _send_tests(self) -> None:
        """Send each test that is asked for; of an endpoint that is not active, one, and then it ends."""
        if self._leased.test_asked:
            self._test.set()
        while True:
            await first(self._test, self._ended)
            if not self._test.is_set():
                return
            self._test.clear()
            id_, at = f"test-{uuid4()}", rfc3339(datetime.now(UTC))
            workspace, endpoint = self._leased.name
            attributes = {
                "id": id_,
                "source": TYPE_PREFIX,
                "type": TEST_TYPE,
                "time": at,
                "subject": endpoint,
            }
            answer = await self._post.send(
                id_, event_body(attributes, {"workspace": workspace, "endpoint": endpoint})
            )
            if answer is not None:
                self._journal.note(answer, id_, TEST_TYPE, None)
            if not self._leased.is_active:
                self._ended.set()

    def _standing(self) -> Standing:
        positions: dict[str, list[int]] = {}
        for place in sorted(self._tracks):
            positions.setdefault(place.topic, []).append(self._tracks[place].position)
        waiting = [track.waiting[0].timestamp_ms for track in self._tracks.values() if track.waiting]
        ends = self._tools.feed.ends
        return Standing(
            positions=positions,
            failing=Failing(self._failing.failures, self._failing.since, self._failing.retry_at),
            stuck={
                place: Failing(track.failing.failures, track.failing.since, track.failing.retry_at)
                for place, track in self._tracks.items()
                if track.failing.failures
            },
            delivered_at=self._delivered_at,
            behind=sum(max(0, ends.get(place, 0) - track.position) for place, track in self._tracks.items()),
            waiting_since=moment(min(waiting)) if waiting else None,
            state=self._state,
            why=self._why,
        )
