"""Signed webhooks at a rate, whatever becomes of them: `python -m bench.posts.poster`.

Its plan comes as JSON on its standard input, what it found goes as JSON to its standard output. Requests are
made and signed beforehand, and sent at their moments over as many connections as it takes; how long an answer
took counts from that moment.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import orjson
import uvloop

from bench.failures import BenchError
from workers.channels.signature import messenger_digest
from workers.runtime.garbage import collect_seldom

HOST = "127.0.0.1"
TICK_S = 0.001
ANSWER_DEADLINE_S = 30.0
TEXT = "Shop ơi, mẫu này còn hàng không ạ? Giao tới quận 7 thì bao nhiêu tiền ship?"


class PostsPlan(NamedTuple):
    """How many posts a second for how long; `run` makes their ids this run's own."""

    run: str
    port: int
    secret: str
    account: str
    customers: int
    rate_per_s: float
    seconds: float
    connections_max: int


class Post(NamedTuple):
    """A request, and the channel's id of its message."""

    id: str
    request: bytes


class Answered(NamedTuple):
    """What became of one; `status` 0: the connection was lost."""

    id: str
    due_s: float
    answered_s: float
    status: int
    retries_after: bool


class Line(asyncio.Protocol):
    """One connection, on which one request at a time is answered."""

    def __init__(self, on_free: Callable[[Line], None], on_answer: Callable[[Answered], None]) -> None:
        self._on_free = on_free
        self._on_answer = on_answer
        self._transport: asyncio.Transport | None = None
        self._asked: tuple[str, float] | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It may be used."""
        self._transport = cast("asyncio.Transport", transport)
        self._on_free(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Whatever was asked has no answer."""
        del error
        self._transport = None
        self._answer(0, retries_after=False)

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def post(self, one: Post, due_s: float) -> None:
        """Send it."""
        assert self._transport is not None
        self._asked = one.id, due_s
        self._transport.write(one.request)

    def data_received(self, data: bytes) -> None:
        """Take an answer once it is whole."""
        self._rest += data
        head, found, body = self._rest.partition(b"\r\n\r\n")
        if not found:
            return
        head = head.lower()
        _, _, after = head.partition(b"content-length:")
        if len(body) < int(after.split(b"\r\n", 1)[0] or 0):
            return
        self._rest = b""
        self._answer(int(head[9:12]), retries_after=b"\r\nretry-after:" in head)
        if self.is_open:
            self._on_free(self)

    def _answer(self, status: int, *, retries_after: bool) -> None:
        if self._asked is not None:
            id_, due_s = self._asked
            self._asked = None
            self._on_answer(Answered(id_, due_s, time.monotonic(), status, retries_after))


class Poster:
    """All connections."""

    def __init__(self, plan: PostsPlan) -> None:
        self._plan = plan
        self._free: deque[Line] = deque()
        self._waiting: deque[tuple[Post, float]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._opened = 0
        self._posts: list[Post] = []
        self._settled = asyncio.Event()
        self.answers: list[Answered] = []

    async def run(self) -> dict[str, Any]:
        """Raises BenchError when answers do not come."""
        plan = self._plan
        self._posts = [_post(plan, number) for number in range(int(plan.rate_per_s * plan.seconds))]
        cpu_s, began_s = time.process_time(), time.monotonic() + TICK_S
        for number, one in enumerate(self._posts):
            due_s = began_s + number / plan.rate_per_s
            if (wait_s := due_s - time.monotonic()) > 0:
                await asyncio.sleep(max(wait_s, TICK_S))
            self._send(one, due_s)
        took_s = time.monotonic() - began_s
        busy = (time.process_time() - cpu_s) / took_s
        await self._settle()
        return self._found(busy, took_s)

    def _send(self, one: Post, due_s: float) -> None:
        while self._free:
            line = self._free.popleft()
            if line.is_open:
                line.post(one, due_s)
                return
        self._waiting.append((one, due_s))
        if self._opened < self._plan.connections_max and len(self._opening) < len(self._waiting):
            self._opened += 1
            task = asyncio.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: Line(self._use, self._take), HOST, self._plan.port)
        except OSError:
            self._opened -= 1

    def _use(self, line: Line) -> None:
        if self._waiting:
            line.post(*self._waiting.popleft())
        else:
            self._free.append(line)

    def _take(self, answer: Answered) -> None:
        self.answers.append(answer)
        if len(self.answers) == len(self._posts):
            self._settled.set()

    async def _settle(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_DEADLINE_S):
                await self._settled.wait()
        except TimeoutError:
            missing = len(self._posts) - len(self.answers)
            raise BenchError(f"{missing} posts have no answer after {ANSWER_DEADLINE_S:g} s") from None

    def _found(self, busy: float, took_s: float) -> dict[str, Any]:
        taken = [one for one in self.answers if one.status == 200]
        refused = [one for one in self.answers if one.status == 503]
        return {
            "statuses": {
                str(status): count for status, count in Counter(one.status for one in self.answers).items()
            },
            "without_retry_after": sum(not one.retries_after for one in refused),
            "accepted": [one.id for one in taken],
            "accepted_ms": _times_ms(taken),
            "refused_ms": _times_ms(refused),
            "connections": self._opened,
            "rate_per_s": round(len(self._posts) / took_s, 1),
            "busy": round(busy, 3),
        }


def _times_ms(answers: list[Answered]) -> list[float]:
    return [round((one.answered_s - one.due_s) * 1000, 2) for one in answers]


def _post(plan: PostsPlan, number: int) -> Post:
    """A customer's message in a webhook of its own, as Messenger posts it."""
    id_, at_ms = f"m_{plan.run}_{number}", int(time.time() * 1000)
    event = {
        "sender": {"id": str(7_000_000_000 + number % plan.customers)},
        "recipient": {"id": plan.account},
        "timestamp": at_ms,
        "message": {"mid": id_, "text": TEXT},
    }
    entry = {"id": plan.account, "time": at_ms, "messaging": [event]}
    body = orjson.dumps({"object": "page", "entry": [entry]})
    digest = messenger_digest(plan.secret.encode(), body)
    head = (
        f"POST /v1/webhooks/messenger HTTP/1.1\r\nHost: {HOST}:{plan.port}\r\n"
        f"Content-Type: application/json\r\nX-Hub-Signature-256: sha256={digest}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return Post(id_, head.encode() + body)


async def main() -> None:
    """Do as the plan says."""
    collect_seldom()
    plan = PostsPlan(**orjson.loads(sys.stdin.buffer.read()))
    try:
        answer: dict[str, Any] = {"answer": await Poster(plan).run()}
    except (BenchError, OSError, TimeoutError) as error:
        answer = {"error": str(error) or repr(error)}
    sys.stdout.buffer.write(orjson.dumps(answer))


if __name__ == "__main__":
    uvloop.run(main())
