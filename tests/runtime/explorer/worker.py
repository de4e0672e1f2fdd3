"""What a worker can do next in the model, by what it is about to do with each lane."""

from __future__ import annotations

from tests.runtime.explorer import holding, takeover
from tests.runtime.explorer.world import Moves, Step, World

STEPS: dict[str, Step] = {
    "idle": takeover.read_owner,
    "fence": takeover.fence,
    "claim": takeover.claim,
    "row": takeover.read_row,
    "group": takeover.look_at_group,
    "publish": takeover.publish_pending,
    "commit": takeover.commit_pending,
    "held": holding.release,
}


def steps(world: World, number: int) -> Moves:
    """Everything that this worker can do next."""
    worker = world.workers[number]
    if worker.frozen or worker.dead:
        return
    for lane, hold in enumerate(worker.holds if not worker.ahead else ()):
        for move in STEPS[hold.phase](world, number, lane):
            yield move._replace(name=f"lane {lane}: {move.name}") if len(worker.holds) > 1 else move
    yield from holding.work(world, number)
