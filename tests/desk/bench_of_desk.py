"""How fast one desk decides, in memory: `python -m tests.desk.bench_of_desk`.

Each figure is the processor time of decide and apply together: the best of many short runs, since others may
use the machine, and the mean.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from statistics import fmean

from schemas.asks import Claim
from schemas.commands import Command
from tests.desk.log import a_rule, an_agent, ask, configure, route, session_ended
from tests.desk.scene import Scene

RUN = 50
"""Commands between two looks at the clock."""
WAITING = 10_000


def main() -> None:
    for agents in (12, 1_000):
        show(f"{agents} agents, new conversations", *assigning(agents))
        show(f"{agents} agents, {WAITING} waiting, sessions end", *draining(agents))
        show(f"{agents} agents, {WAITING} offered, each claimed", *claiming(agents))
        show(f"{agents} agents, claims that come too late", *losing(agents))


def assigning(agents: int) -> tuple[Scene, Sequence[Command]]:
    """Every command opens a session and is given to an agent."""
    return desk(agents, None), [route(f"u{number}") for number in range(10_000)]


def draining(agents: int) -> tuple[Scene, Sequence[Command]]:
    """Every command closes a session and gives the oldest who waits to the agent."""
    capacity = 5_000 // agents
    scene = desk(agents, capacity)
    held = agents * capacity
    for number in range(held + WAITING):
        scene.do(route(f"u{number}"))
    return scene, [session_ended(f"u{number}") for number in range(held)]


def claiming(agents: int) -> tuple[Scene, Sequence[Command]]:
    """Every command has a conversation that is offered to all agents."""
    scene = desk(agents, None, method="self_claim")
    for number in range(WAITING):
        scene.do(route(f"u{number}"))
    return scene, [ask(Claim, f"u{number}", f"a{number % agents}") for number in range(WAITING)]


def losing(agents: int) -> tuple[Scene, Sequence[Command]]:
    """Every command wants the conversation that somebody has had first."""
    scene = desk(agents, None, method="self_claim")
    scene.do(route("u"))
    scene.do(ask(Claim, "u", "a0"))
    return scene, [ask(Claim, "u", f"a{1 + number % (agents - 1)}") for number in range(WAITING)]


def desk(agents: int, capacity: int | None, *, method: str = "round_robin") -> Scene:
    """A desk with one rule over all its agents."""
    scene = Scene()
    ids = [f"a{number}" for number in range(agents)]
    scene.do(configure([an_agent(id_, capacity) for id_ in ids], [a_rule(*ids, method=method)]))
    return scene


def show(what: str, scene: Scene, commands: Sequence[Command]) -> None:
    """Print how many of `commands` are decided on in a second."""
    runs = list(times_s(scene, commands))
    best, mean = RUN / min(runs), RUN / fmean(runs)
    sys.stdout.write(f"{what}: {best:,.0f}/s at best, {mean:,.0f}/s on average\n")


def times_s(scene: Scene, commands: Sequence[Command]) -> Iterator[float]:
    """The processor time of each run, in seconds."""
    for start in range(0, len(commands), RUN):
        begun = time.process_time()
        for command in commands[start : start + RUN]:
            scene.do(command)
        yield time.process_time() - begun


if __name__ == "__main__":
    main()
