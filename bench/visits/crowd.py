"""Many visitors and some agents, each with a socket: `python -m bench.visits.crowd`.

Its plan comes as JSON on its standard input. It tells on its standard output, as one JSON object, how long
each message took to be taken and to reach the agent's socket, and how long windows stayed open whose visitors
were to be kept out, in ms, and how busy it was itself.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import IPv4Address
from random import Random
from typing import Any, NamedTuple

import orjson
import uvloop

from bench.failures import BenchError
from bench.sockets.member import Member
from bench.sockets.wire import Wire, open_wire
from bench.visits.keeping_out import BLOCKED, KeepingOut
from workers.runtime.garbage import collect_seldom

AT_ONCE = 100
"""So many sockets are opened together."""
FIRST_ADDRESS = IPv4Address("198.18.0.0")
"""Of those that benchmarks may use; each visitor has the next one."""
PING_S = 25.0
"""As the widget asks whether anybody is there."""
WARM_UP_PER_S = 50.0
SETTLE_DEADLINE_S = 60.0
HOST = "127.0.0.1"
NOTICES = {"assigned", "message"}


class CrowdPlan(NamedTuple):
    """How many visitors are there, how many of them write, how often and for how long."""

    visitors: int
    writing: int
    rate_per_s: float
    seconds: float
    ingress_port: int
    gateway_port: int
    site: str
    origin: str
    agents: list[tuple[str, str]]
    """Each with an access token."""
    blocked: int = 0
    """So many of those who write are kept out in the end."""
    kept_out: int = 0
    """So many were kept out before, and must find no way in."""


class Visitor:
    """A tab that says something now and then."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._wire: Wire | None = None
        self._on_end: Callable[[str], None] = crowd.fail
        self.started = asyncio.Event()
        self.conversation = ""

    async def come(self, plan: CrowdPlan, number: int) -> None:
        """From an address of his own, as a proxy tells it. Raises BenchError, OSError, TimeoutError."""
        path = f"/v1/website/{plan.site}/socket"
        headers = {"Origin": plan.origin, "X-Forwarded-For": str(FIRST_ADDRESS + number)}
        self._wire = await open_wire(HOST, plan.ingress_port, path, self._hear, self._ended, headers)
        where = {"url": f"{plan.origin}/ao-dai", "title": "Áo dài"}
        self._send({"do": "start", "language": "vi", "where": where})
        async with asyncio.timeout(SETTLE_DEADLINE_S):
            await self.started.wait()
        asyncio.get_running_loop().call_later(PING_S * self._crowd.random.random(), self._ping)

    async def find_no_way_in(self, plan: CrowdPlan, number: int) -> None:
        """He was kept out before. Raises BenchError, OSError, TimeoutError."""
        closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.must_go(closed.set_result)
        coming = asyncio.create_task(self.come(plan, number))
        await asyncio.wait((coming, closed), return_when=asyncio.FIRST_COMPLETED)
        coming.cancel()
        if not closed.done() or BLOCKED not in closed.result():
            raise BenchError("a visitor who was kept out found a way in")

    def must_go(self, gone: Callable[[str], None]) -> None:
        """See Window.must_go."""
        self._on_end = gone

    def say(self, id_: str) -> None:
        self._send({"do": "say", "id": id_, "text": id_, "at_ms": int(time.time() * 1000)})

    def _ended(self, why: str) -> None:
        self._wire = None
        self._on_end(why)

    def _ping(self) -> None:
        if self._wire is None:
            return
        self._send({"do": "ping"})
        asyncio.get_running_loop().call_later(PING_S, self._ping)

    def _send(self, said: dict[str, Any]) -> None:
        assert self._wire is not None
        self._wire.send(orjson.dumps(said))

    def _hear(self, text: bytes) -> None:
        said = orjson.loads(text)
        match said["event"]:
            case "started":
                self.conversation = said["conversation"]
                self.started.set()
            case "taken":
                self._crowd.taken_s[said["id"]] = time.monotonic()
                self._crowd.news.set()
            case "refused":
                self._crowd.fail(f"a visitor was refused: {said}")


class Crowd:
    """All of them. Times in seconds of this machine's monotonic clock, by what was said."""

    def __init__(self, plan: CrowdPlan) -> None:
        self._plan = plan
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.random = Random(1)  # noqa: S311 - invented people
        self.sent_s: dict[str, float] = {}
        self.taken_s: dict[str, float] = {}
        self.told_s: dict[str, float] = {}
        self.news = asyncio.Event()
        self._again = 0
        self._holders: dict[str, str] = {}
        self._visitors: list[Visitor] = []

    def fail(self, why: str) -> None:
        """Something that must not happen has."""
        if not self._failure.done():
            self._failure.set_exception(BenchError(why))

    async def run(self) -> dict[str, Any]:
        """Raises BenchError."""
        work = asyncio.create_task(self._run())
        await asyncio.wait((work, self._failure), return_when=asyncio.FIRST_COMPLETED)
        if self._failure.done():
            work.cancel()
            self._failure.result()
        return work.result()

    async def _run(self) -> dict[str, Any]:
        plan = self._plan
        for name, token in plan.agents:
            await Member(name, token, partial(self._tell, token), self.fail).come(HOST, plan.gateway_port)
        await asyncio.gather(*(Visitor(self).find_no_way_in(plan, number) for number in range(plan.kept_out)))
        self._visitors = [Visitor(self) for _ in range(plan.visitors)]
        for first in range(0, plan.visitors, AT_ONCE):
            some = enumerate(self._visitors[first : first + AT_ONCE], plan.kept_out + first)
            await asyncio.gather(*(one.come(plan, number) for number, one in some))
        writing = self._visitors[: plan.writing]
        # A first message is given to an agent; what follows goes straight to him.
        await self._say("warm", [writing[number] for number in range(len(writing))], WARM_UP_PER_S)
        await self._settle()
        count = int(plan.rate_per_s * plan.seconds)
        cpu_s, began_s = time.process_time(), time.monotonic()
        await self._say("said", [self.random.choice(writing) for _ in range(count)], plan.rate_per_s)
        busy = (time.process_time() - cpu_s) / (time.monotonic() - began_s)
        await self._settle()
        keeping_out = KeepingOut(f"http://{HOST}:{plan.gateway_port}", self._holders)
        said = [id_ for id_ in self.sent_s if id_.startswith("said")]
        return {
            "taken_ms": [(self.taken_s[id_] - self.sent_s[id_]) * 1000 for id_ in said],
            "told_ms": [(self.told_s[id_] - self.sent_s[id_]) * 1000 for id_ in said],
            "closed_ms": await keeping_out.all(writing[: plan.blocked]),
            "again": self._again,
            "busy": round(busy, 3),
        }

    async def _say(self, what: str, by: list[Visitor], rate_per_s: float) -> None:
        """One after the other, each at its moment, whatever has become of the others."""
        began_s = time.monotonic()
        for number, visitor in enumerate(by):
            due_s = began_s + number / rate_per_s
            if (wait_s := due_s - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
            id_ = f"{what}-{number}"
            self.sent_s[id_] = due_s
            visitor.say(id_)

    async def _settle(self) -> None:
        """Until all that was said has been taken, and has reached its agent."""
        try:
            async with asyncio.timeout(SETTLE_DEADLINE_S):
                while min(len(self.taken_s), len(self.told_s)) < len(self.sent_s):
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            lost = len(self.sent_s) - len(self.told_s)
            raise BenchError(f"{lost} of {len(self.sent_s)} messages reached no agent") from None

    def _tell(self, token: str, event: str, data: Mapping[str, Any]) -> None:
        """The agent who has this token is told."""
        id_ = data["message"]["text"] if event in NOTICES and data["message"] else None
        if id_ in self.sent_s:
            self._again += id_ in self.told_s
            self._holders[data["conversation"]] = token
            self.told_s.setdefault(id_, time.monotonic())
            self.news.set()


async def main() -> None:
    """Do as the plan says."""
    collect_seldom()
    plan = CrowdPlan(**orjson.loads(sys.stdin.buffer.read()))
    try:
        answer: dict[str, Any] = {"answer": await Crowd(plan).run()}
    except (BenchError, OSError, TimeoutError) as error:
        answer = {"error": str(error) or repr(error)}
    sys.stdout.buffer.write(orjson.dumps(answer))


if __name__ == "__main__":
    uvloop.run(main())
